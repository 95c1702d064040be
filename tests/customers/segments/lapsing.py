"""A segment of who is lapsing: as typed into the builder, as kept, and customers who are in it or not."""

from datetime import UTC, datetime
from typing import Any

from customers.facts import dirty
from customers.models import Customer, Order
from customers.segments.ready_made import READY_MADE
from tests.customers.facts.world import DAY, customer
from tests.customers.router import route

NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
LAPSING = READY_MADE["lapsing"].rule
TYPED: dict[str, Any] = {
    "name": "Lapsing",
    "description": "",
    "r.match": "all",
    "node": ["r-0:row", "r-1:group", "r-1-0:row"],
    "r-0.field": "orders",
    "r-0.op": "at_least",
    "r-0.value": "2",
    "r-1.match": "any",
    "r-1-0.field": "last_order_at",
    "r-1-0.op": "more_than_days_ago",
    "r-1-0.value": "60",
}
SAID = {
    "all": [
        {"field": "orders", "op": "at_least", "value": 2},
        {"any": [{"field": "last_order_at", "op": "more_than_days_ago", "value": 60}]},
    ]
}


def buyer(number: int, *ages: float) -> Customer:
    who = customer(number)
    for age in ages:
        Order.objects.create(
            external_id=f"{number}-{age}", customer=who, ordered_at=NOW - age * DAY, amount=10, currency="EUR"
        )
    dirty.mark([who.id])
    route()
    return who
