"""Taking customers into a campaign: gates, arm, messages and events in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from campaigns.gates import judged, parameters
from campaigns.models import Campaign
from customers.models import SegmentMembership
from retention.common import clock
from retention.workspace.jobs import Progress

BATCH = 2_000

_ENROL = judged(
    "SELECT * FROM campaigns_campaign WHERE id = %(campaign)s AND state = 'running' FOR SHARE",
    """,
    enrolled AS (
        INSERT INTO campaigns_enrolment (campaign_id, customer_id, occurrence, arm, gates, entered_at, left_because)
        SELECT %(campaign)s, customer_id, occurrence, arm, gates, %(now)s, ''
        FROM judged WHERE stopped_by IS NULL ORDER BY customer_id
        ON CONFLICT DO NOTHING
        RETURNING id, customer_id, occurrence, arm
    ),
    refused AS (
        INSERT INTO campaigns_refusal (campaign_id, customer_id, occurrence, gate, gates, refused_at)
        SELECT %(campaign)s, customer_id, occurrence, stopped_by, gates, %(now)s
        FROM judged WHERE stopped_by IS NOT NULL ORDER BY customer_id
        ON CONFLICT DO NOTHING
        RETURNING gate
    ),
    written AS (
        INSERT INTO campaigns_message (dedupe_key, enrolment_id, step_id, customer_id, channel, state, reason,
                                       due_at, send_by, attempts, address, created_at)
        SELECT ENCODE(SHA256(CONVERT_TO(CONCAT_WS(':', %(campaign)s, step.id, enrolled.customer_id, 'email',
                                                  enrolled.occurrence), 'UTF8')), 'hex'),
               enrolled.id, step.id, enrolled.customer_id, 'email', 'pending', '',
               %(now)s + make_interval(hours => step.wait_hours),
               %(now)s + make_interval(hours => step.wait_hours + step.send_within_hours), 0, '', %(now)s
        FROM enrolled JOIN campaigns_emailstep step ON step.campaign_id = %(campaign)s
        WHERE enrolled.arm = 'treated' ORDER BY enrolled.id
        ON CONFLICT DO NOTHING
        RETURNING id
    ),
    recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT enrolled.customer_id,
               CASE enrolled.arm WHEN 'control' THEN 'campaign.held_out' ELSE 'campaign.enrolled' END,
               %(now)s, %(now)s, 'campaign', 'campaign:' || campaign.id,
               jsonb_build_object('campaign', campaign.id, 'name', campaign.name, 'enrolment', enrolled.id),
               'enrolment:' || enrolled.id
        FROM enrolled CROSS JOIN campaign
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT (SELECT COUNT(*) FROM enrolled WHERE arm = 'treated'), (SELECT COUNT(*) FROM enrolled WHERE arm = 'control'),
           (SELECT COUNT(*) FROM refused), (SELECT COUNT(*) FROM written)
    """,
)


@dataclass(frozen=True)
class Taken:
    """How many were taken in to be treated, held out as control, refused by a gate; how many messages wait."""

    treated: int = 0
    held_out: int = 0
    refused: int = 0
    messages: int = 0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(
            self.treated + other.treated,
            self.held_out + other.held_out,
            self.refused + other.refused,
            self.messages + other.messages,
        )


def enrol(campaign_id: int, occurrences: Sequence[int]) -> Taken:
    """Ask the gates about these segment memberships and take in who passes. Safe to repeat; nothing unless running."""
    with connection.cursor() as cursor:
        cursor.execute(_ENROL, parameters(campaign_id, clock.now(), list(occurrences)))
        return Taken(*cursor.fetchone())


def take_in(campaign: Campaign, progress: Progress | None = None) -> Taken:
    """Enrol everybody the campaign has not asked about yet who is in its segment now, batch by batch."""
    waiting = _not_asked(campaign)
    total = len(waiting)
    taken = Taken()
    for start in range(0, total, BATCH):
        taken += enrol(campaign.pk, waiting[start : start + BATCH])
        if progress:
            progress.step(min(start + BATCH, total), total, "Taking customers in")
    return taken


def _not_asked(campaign: Campaign) -> list[int]:
    """Present memberships of the segment that no enrolment or refusal of the campaign stands for, in id order."""
    memberships = SegmentMembership.objects.filter(segment=campaign.segment_id, left_at=None)
    if not campaign.take_present:
        memberships = memberships.filter(entered_at__gte=campaign.launched_at)
    enrolled = campaign.enrolments.values("occurrence")
    refused = campaign.refusals.values("occurrence")
    present = memberships.exclude(id__in=enrolled).exclude(id__in=refused)
    return list(present.order_by("id").values_list("id", flat=True))
