"""Goals: an order in time meets one, in either arm; whoever meets it gets nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from retention.common import clock

_MEET = """
    WITH placed AS (
        SELECT * FROM UNNEST(%(customers)s::bigint[], %(instants)s::timestamptz[]) AS given(customer_id, at)
    ),
    met AS (
        SELECT enrolment.id, MIN(placed.at) AS at
        FROM placed
        JOIN campaigns_enrolment enrolment ON enrolment.customer_id = placed.customer_id
        JOIN campaigns_campaign campaign ON campaign.id = enrolment.campaign_id
        WHERE placed.at > enrolment.entered_at
          AND placed.at < enrolment.entered_at + make_interval(days => campaign.goal_days)
          AND (enrolment.goal_met_at IS NULL OR enrolment.goal_met_at > placed.at)
        GROUP BY enrolment.id
    ),
    reached AS (
        UPDATE campaigns_enrolment enrolment SET
            goal_met_at = met.at,
            left_at = COALESCE(enrolment.left_at, %(now)s),
            left_because = CASE WHEN enrolment.left_at IS NULL THEN 'goal met' ELSE enrolment.left_because END
        FROM met WHERE enrolment.id = met.id
        RETURNING enrolment.id, enrolment.customer_id, enrolment.campaign_id, enrolment.arm, met.at
    ),
    cancelled AS (
        UPDATE campaigns_message message SET state = 'cancelled', reason = 'They ordered before it was sent.',
            token = NULL, lease_until = NULL, settled_at = %(now)s
        FROM reached
        WHERE message.customer_id = reached.customer_id AND message.enrolment_id = reached.id
          AND message.state IN ('pending', 'claimed')
    ),
    recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT reached.customer_id, 'campaign.goal_met', reached.at, %(now)s, 'campaign', 'campaign:' || campaign.id,
               jsonb_build_object('campaign', campaign.id, 'name', campaign.name, 'enrolment', reached.id,
                                  'arm', reached.arm),
               'goal:' || reached.id
        FROM reached JOIN campaigns_campaign campaign ON campaign.id = reached.campaign_id
        ON CONFLICT DO NOTHING
    )
    SELECT COUNT(*) FROM reached
"""

_CLOSE = """
    UPDATE campaigns_enrolment enrolment
    SET left_at = enrolment.entered_at + make_interval(days => campaign.goal_days), left_because = 'time over'
    FROM campaigns_campaign campaign
    WHERE campaign.id = enrolment.campaign_id AND enrolment.left_at IS NULL
      AND enrolment.entered_at + make_interval(days => campaign.goal_days) <= %(now)s
"""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that a customer placed."""

    customer_id: int
    at: datetime


def meet(orders: Sequence[Placed]) -> int:
    """Let orders meet the goals they are in time for; of several the first counts. Gives how many enrolments moved."""
    if not orders:
        return 0
    values: dict[str, Any] = {
        "customers": [order.customer_id for order in orders],
        "instants": [order.at for order in orders],
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MEET, values)
        met: int = cursor.fetchone()[0]
    return met


def close() -> int:
    """Let those leave whose time for the goal is over. Gives how many."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, {"now": clock.now()})
        left: int = cursor.rowcount
    return left
