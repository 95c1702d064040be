"""What would follow from a change of a segment: rooms above this one say it, before the change is made.

Whoever enters a segment may get mail of a campaign that waits there, so a looser rule can write to thousands.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from django.db import connection

from customers.models import Segment
from customers.segments import compiling, references
from customers.segments.operators import Moment
from customers.segments.rules import RuleRefused
from retention.common import clock
from retention.workspace.models import Workspace

#: Who would enter the segment: ids of customers, worked out when first asked for.
Entering = Callable[[], Sequence[int]]


@dataclass(frozen=True)
class Consequence:
    """What would happen to so many `customers`: "would get its e-mail now", by the thing of this name and page."""

    what: str
    name: str
    url: str
    customers: int
    words: str


Foreseeing = Callable[[int, Entering], Iterable[Consequence]]
_foreseeing: list[Foreseeing] = []


def foresees(say: Foreseeing) -> Foreseeing:
    """Register what says the consequences for a segment, by its id and who would enter it."""
    _foreseeing.append(say)
    return say


def of(segment_ids: Sequence[int]) -> list[Consequence]:
    """What follows once these segments' members are brought up to their rules, as they are stored at this moment."""
    found: list[Consequence] = []
    for segment in Segment.objects.filter(pk__in=segment_ids).order_by("name"):
        entering = cache(partial(_entering, segment))
        found += [each for say in _foreseeing for each in say(segment.pk, entering)]
    return found


def _entering(segment: Segment) -> list[int]:
    """Whom the rule picks and who is not in it."""
    try:
        rule = references.whole(segment)
    except RuleRefused:
        return []
    wanted = compiling.members(rule, Moment(clock.now(), Workspace.current().zone))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {wanted.text} EXCEPT
            SELECT customer_id FROM customers_segmentmembership WHERE segment_id = %s AND left_at IS NULL
            """,  # noqa: S608 - the rule is constants with parameters
            (*wanted.params, segment.pk),
        )
        return [customer_id for (customer_id,) in cursor.fetchall()]
