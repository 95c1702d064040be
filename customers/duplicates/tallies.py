"""How many places in segments, and decisions by hand about them, customers have: segments keep the sums."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from customers.models import HandPick, Segment, SegmentMembership


@dataclass(frozen=True)
class Tally:
    """By segment."""

    places: Counter[int]
    picks: Counter[int]


def of(customer_ids: Sequence[int]) -> Tally:
    places = SegmentMembership.objects.filter(customer__in=customer_ids, left_at=None)
    picks = HandPick.objects.filter(customer__in=customer_ids, ended_by=None)
    return Tally(
        Counter(places.values_list("segment_id", flat=True)), Counter(picks.values_list("segment_id", flat=True))
    )


def follow(before: Tally, after: Tally) -> None:
    """Bring the segments' sums up to the difference. The segments are held by whoever calls."""
    for segment_id in sorted({*before.places, *before.picks, *after.places, *after.picks}):
        places = after.places[segment_id] - before.places[segment_id]
        picks = after.picks[segment_id] - before.picks[segment_id]
        if places or picks:
            Segment.objects.filter(pk=segment_id).update(size=F("size") + places, by_hand=F("by_hand") + picks)
