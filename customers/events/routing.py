"""Taking up what was recorded: the router claims a batch, lets it have its effects, and settles it.

All three happen in one transaction, so that a router that dies leaves the batch as it found it. Events are found by
having no `routed_at`, never by "id greater than the last": commits do not come in the order of ids.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from customers.events.kinds import CONSEQUENCES
from customers.facts import circumstances
from customers.facts.folding import take_turn
from customers.models import CustomerFacts, Event, Health
from retention.common import clock


@dataclass(frozen=True)
class Taken:
    """An event as the router hands it on."""

    id: int
    customer_id: int
    kind: str
    ref: str
    payload: dict[str, Any]
    occurred_at: datetime


@dataclass(frozen=True)
class Batch:
    """Events in the order they were recorded, and the customers whose facts may have changed, in the order of ids.

    True while there is anything in it.
    """

    events: list[Taken]
    customer_ids: list[int]

    def __bool__(self) -> bool:
        return bool(self.events or self.customer_ids)


def claim(limit: int) -> Batch:
    """Take up to `limit` each of unrouted events, marked customers, and customers whose facts or health time changed.

    Inside a transaction; what was claimed is free again should it be rolled back.
    """
    take_turn()
    circumstances.notice_changes()
    events = _unrouted(limit)
    changed = {event.customer_id for event in events if event.kind not in CONSEQUENCES}
    return Batch(events, sorted(changed.union(_unmark(limit), _past_an_edge(limit), _past_an_edge_of_health(limit))))


def settle(batch: Batch) -> None:
    """Mark the batch's events as routed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_event SET routed_at = %s WHERE id = ANY(%s)",
            [clock.now(), [event.id for event in batch.events]],
        )


def _unrouted(limit: int) -> list[Taken]:
    rows = (
        Event.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(routed_at__isnull=True)
        .order_by("id")
        .values_list("id", "customer_id", "kind", "ref", "payload", "occurred_at")[:limit]
    )
    return [Taken(*row) for row in rows]


def _unmark(limit: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS MATERIALIZED (
                SELECT id FROM customers_dirty ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            )
            DELETE FROM customers_dirty dirty USING taken WHERE dirty.id = taken.id RETURNING dirty.customer_id
            """,
            [limit],
        )
        return [customer_id for (customer_id,) in cursor.fetchall()]


def _past_an_edge(limit: int) -> list[int]:
    due = CustomerFacts.objects.filter(next_edge_at__lte=clock.now()).order_by("next_edge_at")
    return list(due.values_list("customer_id", flat=True)[:limit])


def _past_an_edge_of_health(limit: int) -> list[int]:
    due = Health.objects.filter(next_edge_at__lte=clock.now()).order_by("next_edge_at")
    return list(due.values_list("customer_id", flat=True)[:limit])
