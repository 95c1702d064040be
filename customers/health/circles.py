"""Whom a profile is for must not depend on what it says: for its segment, a rule that asks about health is refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from customers.models import HealthProfile, Segment
from customers.segments import references
from customers.segments.catalogue import SEGMENT
from customers.segments.fields import EVENT
from customers.segments.references import Stored
from customers.segments.rules import RuleRefused


def refuse(segment: Segment) -> None:
    """Raises RuleRefused where it asks about health, and a profile is for it or for a segment that refers to it."""
    profiles = dict(HealthProfile.objects.exclude(segment=None).values_list("segment_id", "name"))
    if not profiles:
        return
    stored = references.stored_rules()
    concerned = {segment.pk} | references.referring_to(segment.pk, stored)
    names = [name for segment_id, name in profiles.items() if segment_id in concerned]
    place = asked_at(segment.rule, stored) if names else None
    if place is not None:
        raise RuleRefused(place, f"asks about health, and the health profile “{names[0]}” stands on this segment")


def asked_at(rule: Any, stored: Mapping[int, Stored]) -> str | None:
    """Where a stored rule first asks about health, itself or through a segment it refers to; None where it does not."""
    for place, condition in _conditions(rule, ""):
        field = str(condition["field"])
        if field == SEGMENT.key:
            other = stored.get(condition["value"])
            if other is not None and asked_at(other.rule, stored) is not None:
                return f"{place}value"
        elif field.removeprefix(EVENT).startswith("health"):
            return f"{place}field"
    return None


def _conditions(rule: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each condition of a rule that has been read, and its place with the dot after it."""
    if "field" in rule:
        yield place, rule
        return
    for word, inner in rule.items():
        if isinstance(inner, list):
            for at, part in enumerate(inner):
                yield from _conditions(part, f"{place}{word}[{at}].")
        elif isinstance(inner, dict):
            yield from _conditions(inner, f"{place}{word}.")
