"""For any sequence of offers, answers and withdrawals the sums never pass the limits they were granted under."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from loyalty.authorising import authority_of
from loyalty.costing import Terms
from loyalty.deciding import approve
from loyalty.granting import NotTheirs, Refused, withdraw
from loyalty.models import Budget, Kind, Offer
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.loyalty.giving import limits, offer, paying, somebody

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 11, 10, tzinfo=UTC)
MONEY = st.none() | st.integers(0, 500)
LIMITS = st.fixed_dictionaries(
    {
        "offer_most": MONEY,
        "customer_year_most": MONEY,
        "month_most": MONEY,
        "margin_floor": st.none() | st.integers(-50, 45),
    }
)
TERMS = st.one_of(
    st.builds(lambda cents: Terms(Kind.CREDIT, amount=Decimal(cents) / 100), st.integers(1, 40_000)),
    st.builds(lambda p, m: Terms(Kind.DISCOUNT, percent=Decimal(p), months=m), st.integers(1, 100), st.integers(1, 6)),
    st.builds(lambda m: Terms(Kind.FREE_MONTHS, months=m), st.integers(1, 3)),
    st.builds(lambda n: Terms(Kind.TRAINING, sessions=n), st.integers(1, 3)),
)
WHO = st.integers(0, 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), WHO, WHO, TERMS),
        st.tuples(st.just("approve"), WHO, st.integers(0, 20), st.none()),
        st.tuples(st.just("withdraw"), WHO, st.integers(0, 20), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 25), st.just(0), st.none()),
    ),
    max_size=14,
)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def within_limits(made: Offer) -> None:
    """What has just been granted is within the limits of whoever answers for it, added up from the offers."""
    assert made.answerable is not None
    assert made.month is not None
    most = authority_of(made.answerable)
    granted = Offer.objects.filter(state=Offer.State.GRANTED)
    year = sum(row.cost for row in granted.filter(customer=made.customer_id, month__year=made.month.year))
    month = sum(row.cost for row in granted.filter(answerable=made.answerable, month=made.month))
    assert most.offer_most is None or made.cost <= most.offer_most
    assert most.customer_year_most is None or year <= most.customer_year_most
    assert most.month_most is None or month <= most.month_most
    if most.margin_floor is not None:
        revenue = 12 * made.customer.facts.mrr
        assert 100 * (Decimal("0.4") * revenue - year) / revenue >= most.margin_floor


def books_agree() -> None:
    """The database's books are the sums of the offers granted."""
    kept = {(row.customer_id, row.person_id, row.begins): row.spent for row in Budget.objects.exclude(spent=0)}
    sums: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for made in Offer.objects.filter(state=Offer.State.GRANTED, cost__gt=0):
        assert made.month is not None
        sums[made.customer_id, None, made.month.replace(month=1)] += made.cost
        sums[None, made.answerable_id, made.month] += made.cost
    assert kept == sums


def take(step: tuple[str, int, int, Terms | None], people: list[User], customers: list[Customer]) -> Offer | None:
    """Do one step; gives the offer it granted, if any."""
    what, who, which, terms = step
    offers = list(Offer.objects.order_by("pk"))
    if what == "offer" and terms:
        made = offer(customers[which], people[who], terms)
        return None if made.waits else made
    if not offers:
        return None
    chosen = offers[which % len(offers)].pk
    try:
        if what == "approve":
            return approve(chosen, people[who], "")
        withdraw(chosen, people[who])
    except (NotTheirs, Refused):
        pass
    return None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(role=LIMITS, own=LIMITS, steps=STEPS)
def test_it_works(
    role: dict[str, int | None], own: dict[str, int | None], steps: list[tuple[str, int, int, Terms | None]]
) -> None:
    with undone():
        people = [somebody("anna"), somebody("olga", Role.ADMINISTRATOR)]
        customers = [paying("A", mrr=100), paying("B", mrr=20)]
        limits(None, **role)
        limits(people[1], **own)
        now = BEGIN
        for step in steps:
            if step[0] == "wait":
                now += timedelta(days=step[1])
                continue
            with clock.at(now):
                if made := take(step, people, customers):
                    within_limits(made)
                books_agree()
