"""Customers, a segment and a campaign to try things on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

from campaigns.models import Campaign, EmailStep
from customers.models import Channel, Consent, Customer, CustomerFacts, Segment, SegmentMembership
from retention.common import clock
from retention.workspace.models import Workspace

BODY = '<p>Dear {{ customer.name }}, <a href="https://shop.example/back">come back</a>.</p>'


def customers(how_many: int, *, agreed: bool = True, start: int = 1, **fields: Any) -> list[Customer]:
    rows = Customer.objects.bulk_create(
        Customer(
            **{"external_id": f"c{n}", "name": f"Customer {n}", "email": f"c{n}@example.test", "country": "FR"} | fields
        )
        for n in range(start, start + how_many)
    )
    CustomerFacts.objects.bulk_create(CustomerFacts(customer=row) for row in rows)
    if agreed:
        agree(rows)
    return rows


def agree(rows: list[Customer], state: str = Consent.State.GRANTED) -> None:
    Consent.objects.bulk_create(
        Consent(customer=row, channel=Channel.EMAIL, state=state, source="test") for row in rows
    )


def segment(name: str = "Lapsing", rows: list[Customer] | None = None) -> Segment:
    made = Segment.objects.create(name=name, rule={"all": []})
    join(made, rows or [])
    return made


def join(made: Segment, rows: list[Customer]) -> list[SegmentMembership]:
    return SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=made, customer=row, entered_at=clock.now() - timedelta(days=1)) for row in rows
    )


def campaign(made: Segment, *, running: bool = True, step: dict[str, Any] | None = None, **fields: Any) -> Campaign:
    row = Campaign.objects.create(
        **{"name": "Win back", "segment": made, "holdout_share": Decimal(0), "again_days": 0} | fields
    )
    text = {"subject": "We miss you, {{ customer.name }}", "body": BODY}
    EmailStep.objects.create(campaign=row, **(text | (step or {})))
    if running:
        row.state, row.launched_at = Campaign.State.RUNNING, clock.now()
        row.save()
    return row


@contextmanager
def workspace() -> Iterator[None]:
    """The one row that a migration makes, for tests that commit; afterwards, as it is at first."""
    Workspace.objects.get_or_create(id=1)
    try:
        yield
    finally:
        Workspace.objects.all().delete()
        Workspace.objects.create(id=1)
