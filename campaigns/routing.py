"""The router: recorded events have their effects, campaigns' among them, in one transaction per batch."""

from collections import defaultdict

from django.db import transaction

from campaigns.enrolment import enrol
from campaigns.goals import Placed, meet
from campaigns.models import Campaign
from customers.events.routing import Batch, Taken, claim, settle
from customers.reaction import react

BATCH = 5_000


@transaction.atomic
def route(limit: int = BATCH) -> int:
    """Take up a batch: facts, segments, then campaigns. Gives how many events and customers it held; 0 when idle."""
    batch = claim(limit)
    if not batch:
        return 0
    react(batch)
    meet([Placed(event.customer_id, event.occurred_at) for event in batch.events if event.kind == "order.placed"])
    _take_in(batch)
    settle(batch)
    return len(batch.events) + len(batch.customer_ids)


def _take_in(batch: Batch) -> None:
    """Those who entered a segment go into the campaigns that wait there."""
    entered = _memberships(batch.events)
    waiting = Campaign.objects.filter(state=Campaign.State.RUNNING, segment__in=entered)
    for campaign_id, segment_id in waiting.order_by("id").values_list("id", "segment_id"):
        enrol(campaign_id, entered[segment_id])


def _memberships(events: list[Taken]) -> dict[int, list[int]]:
    """Segment → the memberships that began."""
    entered: dict[int, list[int]] = defaultdict(list)
    for event in events:
        if event.kind == "segment.entered":
            entered[event.payload["segment"]].append(event.payload["membership"])
    return entered
