"""Kept or lost, 90 days after the grant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.sweeping import keep_up
from customers.events.recording import Happening, record
from customers.models import Customer, Event, Order
from loyalty import outcomes
from loyalty.granting import withdraw
from loyalty.models import Offer
from loyalty.outcomes import Line
from loyalty.settling import settle
from metrics.activity import activity
from metrics.scope import read_scope
from retention.common import clock
from retention.workspace.models import Basis, User, Workspace
from tests.customers.subscribing import subscription
from tests.loyalty.giving import credit, limits, offer, paying

pytestmark = pytest.mark.django_db
GRANTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
DUE = GRANTED + timedelta(days=90)
#: Days from the instant that matters: just before, at and after it, and at both ends of the activity window.
AROUND = (-91, -90 - 1e-6, -90, -90 + 1e-6, -45, -1e-6, 0, 1e-6, 3)


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.fixture
def granted(anna: User) -> list[Customer]:
    """An offer each, on the same day, to customers who did something at each of the instants above."""
    limits()
    made = [paying(f"C{number}") for number in range(len(AROUND))]
    with clock.at(GRANTED):
        for customer in made:
            offer(customer, anna, credit(10))
    for customer, day in zip(made, AROUND, strict=True):
        at = DUE + days(day)
        Order.objects.create(external_id=f"o{day}", customer=customer, ordered_at=at, amount=5, currency="EUR")
        record([Happening(customer.pk, "usage", at)])
        subscription(customer, DUE - days(300), at if at > DUE - days(300) else None)
    return made


@pytest.mark.parametrize("basis", list(Basis))
def test_it_works(granted: list[Customer], basis: Basis) -> None:
    """What is settled is what the metrics call active at that instant."""
    Workspace.objects.update(basis=basis, activity_window=90)
    with clock.at(DUE - days(0.01)):
        assert settle() == 0
    with clock.at(DUE + days(10)):
        scope = read_scope({}, Workspace.current())
        active = activity(scope)
        wanted = set(active.records.filter(active.at(DUE)).values_list("customer_id", flat=True))
        assert settle() == len(granted)
        assert settle() == 0
    kept = set(Offer.objects.filter(outcome="kept").values_list("customer_id", flat=True))
    assert kept == wanted
    assert 0 < len(kept) < len(granted)
    assert set(Offer.objects.values_list("basis", flat=True)) == {basis}
    told = Event.objects.filter(kind="offer.kept", occurred_at=DUE)
    assert {event.customer_id for event in told} == wanted
    assert {event.payload["said"] for event in told} == {"a credit of 10.00 EUR"}


def test_a_cancelled_order_keeps_nobody(anna: User, boreal: Customer) -> None:
    limits()
    with clock.at(GRANTED):
        offer(boreal, anna, credit(10))
    Order.objects.create(
        external_id="o",
        customer=boreal,
        ordered_at=DUE - days(3),
        amount=5,
        currency="EUR",
        state=Order.State.CANCELLED,
    )
    with clock.at(DUE):
        settle()
    assert Offer.objects.get().outcome == "lost"


def test_what_was_withdrawn_has_no_outcome_and_the_sweep_settles_the_rest(anna: User, boreal: Customer) -> None:
    limits(offer_most=50)
    with clock.at(GRANTED):
        withdraw(offer(boreal, anna, credit(10)).pk, anna)
        offer(boreal, anna, credit(20))
        offer(boreal, anna, credit(60))
    with clock.at(DUE):
        assert keep_up().offers == 2  # one settled, one that nobody answered
        assert keep_up().offers == 0
    assert list(Offer.objects.order_by("pk").values_list("state", "outcome")) == [
        ("withdrawn", ""),
        ("granted", "lost"),
        ("expired", ""),
    ]


def test_settling_many_takes_as_many_statements_as_settling_one(granted: list[Customer]) -> None:
    with clock.at(DUE), CaptureQueriesContext(connection) as queries:
        assert settle() == len(granted)
    assert len([query for query in queries if "loyalty" in (query["sql"] or "")]) == 1


def test_they_are_told_by_kind_person_and_reason(granted: list[Customer], anna: User, bea: User) -> None:
    with clock.at(DUE):
        settle()
        offer(granted[0], bea, credit(7), reason="service")
    by_kind, by_person, by_reason = outcomes.tables("EUR", {anna.pk: "Anna", bea.pk: "Bea"})
    kept = Offer.objects.filter(outcome="kept").count()
    assert [(line.label, line.granted, line.cost, line.known, line.kept) for line in by_kind.lines] == [
        ("Credit", 10, Decimal(97), 9, kept)
    ]
    assert [(line.label, line.granted, line.known) for line in by_person.lines] == [("Anna", 9, 9), ("Bea", 1, 0)]
    assert [line.rate is None for line in by_reason.lines] == [False, True]
    assert by_kind.lines[0].small
    assert outcomes.tables("GBP", {})[0].lines[0].cost == 0  # amounts of another currency are not added


def test_the_interval_is_wilsons() -> None:
    low, high = Line("", "", 10, Decimal(0), known=10, kept=8).interval or (0, 0)
    assert (round(low, 1), round(high, 1)) == (49.0, 94.3)  # 8 of 10: 0.490 to 0.943
    assert Line("", "", 10, Decimal(0), known=0, kept=0).interval is None
    assert not Line("", "", 30, Decimal(0), known=30, kept=30).small
