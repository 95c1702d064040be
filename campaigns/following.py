"""What follows in campaigns when customers enter a segment: whom they would write to at once."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.urls import reverse

from campaigns.gates import ENTERING, judged
from campaigns.models import Campaign
from customers.segments.consequences import Consequence, Entering, foresees
from retention.common import clock

_WOULD_GET_IT = judged(
    "SELECT * FROM campaigns_campaign WHERE id = %(campaign)s",
    "SELECT COUNT(*) FROM judged WHERE stopped_by IS NULL AND arm = 'treated'",
    ENTERING,
)
_WORDS = {
    Campaign.State.RUNNING: "would get its e-mail now.",
    Campaign.State.PAUSED: "would get its e-mail as soon as it goes on.",
}


@foresees
def mail(segment_id: int, entering: Entering) -> Iterator[Consequence]:
    """Of each campaign that takes in from the segment: how many more it would write to, past all its gates."""
    for campaign in Campaign.objects.filter(segment=segment_id, state__in=_WORDS).order_by("name"):
        if customers := _written_to(campaign, entering()):
            what = f"The {campaign.get_state_display().lower()} campaign"
            url = reverse("campaigns:detail", args=[campaign.pk])
            yield Consequence(what, campaign.name, url, customers, _WORDS[Campaign.State(campaign.state)])


def _written_to(campaign: Campaign, customer_ids: Sequence[int]) -> int:
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"campaign": campaign.pk, "now": clock.now(), "customers": list(customer_ids)}
        cursor.execute(_WOULD_GET_IT, asked)
        customers: int = cursor.fetchone()[0]
    return customers
