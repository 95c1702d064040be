"""Whatever is agreed on a subscription, in whatever order: history stays, and the movements add up to what is paid."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.models import CustomerFacts, MrrMovement, Subscription, SubscriptionTerm
from customers.subscriptions import agreeing
from customers.subscriptions.agreeing import Bond, Conditions, Refused
from customers.subscriptions.turning import turn_all
from tests.customers.facts.world import customer
from tests.customers.router import route

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = st.sampled_from([-40, -1, 0, 1, 15, 30, 100, 400])
STEPS = st.tuples(
    st.sampled_from(["change", "renew", "cancel", "resume"]),
    st.integers(0, 70),  # days that pass before
    DAYS,  # the day it is for, from then
    st.tuples(st.none() | DAYS, st.booleans()),  # when it renews, and whether by itself
    st.sampled_from([("month", 1), ("week", 2), ("year", 1)]),
    st.sampled_from([10, 100]),
)
#: A change to come, cancelled for later still, and taken back.
TAKEN_BACK = [
    ("change", 0, 100, (400, False), ("month", 1), 100),
    ("cancel", 1, 200, (None, True), ("month", 1), 10),
    ("resume", 1, 0, (None, True), ("month", 1), 10),
]


def do(act: str, row: Subscription, at: datetime, bond: Bond, paid: Conditions) -> None:
    row.refresh_from_db()
    match act:
        case "change":
            agreeing.change(row.pk, paid, bond, at, row.updated_at)
        case "renew":
            agreeing.renew(row.pk, at, row.updated_at)
        case "cancel":
            agreeing.cancel(row.pk, at, "Price", row.updated_at)
        case "resume":
            agreeing.resume(row.pk, at, row.updated_at)


def paid_on(instants: list[datetime]) -> list[Any]:
    terms = list(SubscriptionTerm.objects.order_by("valid_from"))
    return [
        next((t.mrr for t in terms if t.valid_from <= at and (t.valid_to is None or at < t.valid_to)), None)
        for at in instants
    ]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=1, max_size=8), renews=st.tuples(st.none() | DAYS, st.booleans()))
@example(steps=TAKEN_BACK, renews=(400, False))
def test_it_works(steps: list[Any], renews: tuple[int | None, bool]) -> None:
    now = NOW
    with transaction.atomic(), time_machine.travel(now, tick=False) as clock:
        who = customer(1)
        first = Conditions("Team", 1, Decimal(50), "EUR", "month")
        row = agreeing.start(
            who.pk, first, Bond(NOW + 400 * DAY if renews[0] else None, 0, renews[1] or not renews[0]), now
        )
        for act, passed, day, (until, by_itself), (interval, every), amount in steps:
            now += passed * DAY + timedelta(seconds=1)
            clock.move_to(now, tick=False)
            turn_all()
            at = now + day * DAY
            bond = Bond(None if until is None else at + until * DAY, 0, by_itself or until is None)
            # What stood before the present conditions is history.
            begun = SubscriptionTerm.objects.filter(valid_from__lte=min(at, now)).order_by("-valid_from")[:1]
            since = min(at, *(t.valid_from for t in begun)) if begun else at
            past = [NOW + n * DAY for n in range(0, 600, 3) if NOW + n * DAY < min(since, now)]
            before = paid_on(past)
            try:
                with transaction.atomic():
                    do(act, row, at, bond, Conditions("Team", 2, Decimal(amount), "EUR", interval, every))
            except Refused:
                pass
            assert paid_on(past) == before
            turn_all()
            route()
            (stands,) = paid_on([now])
            total = MrrMovement.objects.aggregate(total=Sum("delta"))["total"] or 0
            assert abs(total - (stands or 0)) < Decimal("0.0001")
            assert abs(CustomerFacts.objects.get().mrr - (stands or 0)) < Decimal("0.001")
        transaction.set_rollback(True)
