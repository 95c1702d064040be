"""Customers for the tests of their pages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from customers.models import Customer, CustomerFacts
from retention.common import clock

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def customer(external_id: str = "c1", **fields: Any) -> Customer:
    """A customer with facts; `facts` are the facts that matter."""
    facts = fields.pop("facts", {})
    made = Customer.objects.create(external_id=external_id, **{"name": external_id.title(), **fields})
    CustomerFacts.objects.create(customer=made, **facts)
    return made


def crowd(number: int, **fields: Any) -> list[Customer]:
    """`number` customers p000, p001 … with rising revenue; every third has never ordered."""
    made = Customer.objects.bulk_create(
        Customer(external_id=f"p{n:04}", name=f"Person {n:04}", email=f"p{n:04}@example.test", **fields)
        for n in range(number)
    )
    now = clock.now()
    CustomerFacts.objects.bulk_create(
        CustomerFacts(
            customer=row,
            revenue=Decimal(n // 2),
            orders=n % 5,
            last_order_at=None if n % 3 == 0 else now - timedelta(days=n),
        )
        for n, row in enumerate(made)
    )
    return made
