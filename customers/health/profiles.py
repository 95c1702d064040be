"""By what customers are measured: the profiles in their order, and which of them is whose."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from customers.health import inputs
from customers.health.inputs import Input
from customers.models import HealthProfile, Segment
from customers.segments import compiling, references
from customers.segments.operators import Moment
from customers.segments.rules import RuleRefused

EVERYBODY_ELSE = "Everybody else"


@dataclass(frozen=True)
class Ruler:
    """A profile as scores are worked out by it: the inputs that have weight, each with its own."""

    name: str
    version: int
    segment: Segment | None
    inputs: Mapping[Input, "Measure"]


@dataclass(frozen=True)
class Measure:
    """How much an input weighs, and the raw values that are worth 0 and 100 points."""

    weight: int
    worst: int
    best: int


def ruler(profile: HealthProfile) -> Ruler:
    """The profile with those inputs that there still are."""
    known = inputs.every()
    measures = {
        known[key]: Measure(int(said["weight"]), int(said["worst"]), int(said["best"]))
        for key, said in profile.inputs.items()
        if key in known and said["weight"]
    }
    ordered = {given: measures[given] for given in known.values() if given in measures}
    return Ruler(profile.name, profile.version, profile.segment, ordered)


def ready_made() -> dict[str, Any]:
    """The inputs of a profile that nobody has changed anything of."""
    return {
        given.key: {"weight": given.weight, "worst": given.worst, "best": given.best}
        for given in inputs.every().values()
    }


def everybody_else() -> HealthProfile:
    """The profile of those whom no segment's fits; a new one as long as nobody has saved any."""
    saved = HealthProfile.objects.filter(segment=None).first()
    return saved or HealthProfile(name=EVERYBODY_ELSE, inputs=ready_made())


def rulers(draft: HealthProfile | None = None) -> list[Ruler]:
    """Every profile in the order in which they are tried; the last fits everybody.

    `draft` stands in the place of the stored profile that it would be saved as.
    """
    stored = HealthProfile.objects.select_related("segment")
    if draft is None:
        found = list(stored)
    else:
        found = [each for each in stored if each.pk != draft.pk and each.segment_id != draft.segment_id]
        found = sorted([*found, draft], key=lambda each: (each.segment is None, each.position))
    if not found or found[-1].segment is not None:
        found.append(HealthProfile(name=EVERYBODY_ELSE, inputs=ready_made()))
    return [ruler(profile) for profile in found]


def sorted_out(rulers: Sequence[Ruler], customer_ids: Iterable[int], moment: Moment) -> list[tuple[Ruler, list[int]]]:
    """Whom of these customers each ruler is for: by the segments' rules as they hold now, the first that fits.

    One query for each profile of a segment.
    """
    left, found = set(customer_ids), []
    for each in rulers:
        fitting = _members(each.segment, sorted(left), moment) if each.segment else left
        left = left - fitting
        found.append((each, sorted(fitting)))
    return found


def _members(segment: Segment, customer_ids: list[int], moment: Moment) -> set[int]:
    """Those in the segment. One whose rule is no longer understood fits nobody, and its own page says so."""
    try:
        rule = references.whole(segment)
    except RuleRefused:
        return set()
    query = compiling.members(rule, moment, customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        return {customer_id for (customer_id,) in cursor.fetchall()}
