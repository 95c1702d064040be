"""What came of an offer: was the customer still active 90 days after it was granted?

Active is what the workspace's basis says (METRICS, Conventions), told as everywhere by what was just before the
instant: a subscription in force, or an order or a use of the product in the days of the activity window before it.
"""

from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from customers.events.kinds import USAGE
from retention.common import clock
from retention.workspace.models import Basis, Workspace

DAYS = 90

_ACTIVE = {
    Basis.CONTRACTUAL: """
        SELECT FROM customers_subscriptionterm term
         WHERE term.customer_id = due.customer_id AND term.valid_from < due.at
           AND (term.valid_to IS NULL OR term.valid_to >= due.at)
    """,
    Basis.ORDERS: """
        SELECT FROM customers_order placed
         WHERE placed.customer_id = due.customer_id AND placed.state = 'completed'
           AND placed.ordered_at >= date_subtract(due.at, %(window)s, %(zone)s) AND placed.ordered_at < due.at
    """,
    Basis.USAGE: """
        SELECT FROM customers_event used
         WHERE used.customer_id = due.customer_id AND used.kind = ANY(%(usage)s)
           AND used.occurred_at >= date_subtract(due.at, %(window)s, %(zone)s) AND used.occurred_at < due.at
    """,
}

_SETTLE = """
    WITH due AS MATERIALIZED (
        SELECT id, customer_id, granted_at + %(wait)s AS at
          FROM loyalty_offer
         WHERE state = 'granted' AND outcome = '' AND granted_at <= %(now)s - %(wait)s
         ORDER BY id
         LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED
    ), settled AS (
        UPDATE loyalty_offer offer
           SET outcome = CASE WHEN EXISTS ({active}) THEN 'kept' ELSE 'lost' END,
               basis = %(basis)s, settled_at = %(now)s
          FROM due WHERE due.id = offer.id
        RETURNING offer.id, offer.customer_id, offer.kind, offer.outcome, offer.cost, offer.currency, due.at
    ), told AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT settled.customer_id, 'offer.' || settled.outcome, settled.at, %(now)s, 'loyalty',
               'offer:' || settled.id,
               jsonb_build_object('offer', settled.id, 'said', given.payload->'said', 'kind', settled.kind,
                                  'amount', settled.cost::text, 'currency', settled.currency),
               settled.outcome || ':' || settled.id
          FROM settled
          LEFT JOIN customers_event given ON given.customer_id = settled.customer_id
               AND given.kind = 'offer.granted' AND given.dedup_key = 'granted:' || settled.id
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM settled
"""


@transaction.atomic
def settle(limit: int = 5_000) -> int:
    """Write down the outcome of every offer granted 90 days ago or more. Gives how many."""
    workspace = Workspace.current()
    values: dict[str, Any] = {
        "wait": timedelta(days=DAYS),
        "now": clock.now(),
        "limit": limit,
        "basis": workspace.basis,
        "window": timedelta(days=workspace.activity_window),
        "zone": str(workspace.zone),
        "usage": list(USAGE),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE.format(active=_ACTIVE[Basis(workspace.basis)]), values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
