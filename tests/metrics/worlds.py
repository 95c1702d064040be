"""Tiny worlds, written down by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from customers.models import Customer, Event, Order, Segment, SegmentMembership
from metrics.scope import Scope
from metrics.windows import Window
from retention.workspace.models import Basis
from tests.customers.subscribing import subscription

_numbers = count(1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def scope(first: str, until: str, *, zone: str = "UTC", now: datetime = NOW, **changes: Any) -> Scope:
    window = Window(date.fromisoformat(first), date.fromisoformat(until), ZoneInfo(zone))
    given: dict[str, Any] = {"basis": Basis.ORDERS, "activity_days": 30, "currency": "EUR", "margin": 0.4}
    return Scope(window=window, now=now, **given | changes)


def instant(text: str) -> datetime:
    """2026-01-31 is that day's noon; a full ISO instant is itself."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC) + timedelta(hours=0 if "T" in text else 12)


def customer(name: str = "") -> Customer:
    number = next(_numbers)
    return Customer.objects.create(external_id=f"c{number}", name=name or f"Customer {number}")


def buyer(name: str, *days: str, amount: str = "10") -> Customer:
    """A customer with an order on each of the days."""
    who = customer(name)
    for day in days:
        order(who, day, amount)
    return who


def order(who: Customer | None, day: str, amount: str = "10", **more: Any) -> Order:
    return Order.objects.create(
        external_id=f"o{next(_numbers)}",
        customer=who,
        ordered_at=instant(day),
        amount=Decimal(amount),
        currency=more.pop("currency", "EUR"),
        **more,
    )


def subscriber(name: str, *terms: tuple[str, str | None]) -> Customer:
    """A customer with subscriptions, each from one day to another or still running."""
    who = customer(name)
    for start, end in terms:
        subscription(who, instant(start), instant(end) if end else None)
    return who


def user(name: str, *days: str) -> Customer:
    who = customer(name)
    for day in days:
        Event.objects.create(customer=who, kind="usage", occurred_at=instant(day))
    return who


def segment(name: str, *members: Customer) -> Segment:
    found = Segment.objects.create(name=name, rule={})
    for who in members:
        SegmentMembership.objects.create(segment=found, customer=who, entered_at=NOW)
    return found
