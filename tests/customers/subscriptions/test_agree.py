"""Agreeing on subscriptions: terms are history, events tell, facts and movements follow, and time does its part."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import CustomerFacts, Event, MrrMovement, Subscription, SubscriptionTerm
from customers.subscriptions import agreeing
from customers.subscriptions.agreeing import Bond, ChangedMeanwhile, Conditions, Refused
from customers.subscriptions.turning import turn_all
from retention.common import clock
from tests.customers.facts.world import customer
from tests.customers.router import route
from tests.customers.subscribing import subscription, term

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
TEAM = Conditions("Team", 5, Decimal(100), "EUR", "month")
MORE = replace(TEAM, quantity=8, amount=Decimal(160))
At = Callable[[datetime], None]


def terms(of: Subscription) -> list[tuple[datetime, datetime | None, int]]:
    found = SubscriptionTerm.objects.filter(subscription=of).order_by("valid_from")
    return [(start, end, int(mrr)) for start, end, mrr in found.values_list("valid_from", "valid_to", "mrr")]


def kinds() -> list[str]:
    found = Event.objects.filter(kind__startswith="subscription.").order_by("pk")
    return [kind.removeprefix("subscription.") for kind in found.values_list("kind", flat=True)]


def movements() -> list[tuple[str, int]]:
    return [(row.kind, int(row.delta)) for row in MrrMovement.objects.order_by("day")]


def opened(row: Subscription) -> datetime:
    found: datetime = Subscription.objects.get(pk=row.pk).updated_at
    return found


def test_it_works(at: At) -> None:
    """A year of one customer: started, grown, cancelled, resumed; every past MRR can still be asked for."""
    at(NOW)
    who = customer(1)
    row = agreeing.start(who.pk, TEAM, Bond(NOW + 365 * DAY, 60), NOW)
    at(NOW + 40 * DAY)
    agreeing.change(row.pk, MORE, Bond(NOW + 365 * DAY, 60), clock.now(), opened(row))
    at(NOW + 80 * DAY)
    agreeing.cancel(row.pk, clock.now(), "Too expensive", opened(row))
    at(NOW + 120 * DAY)
    agreeing.resume(row.pk, clock.now(), opened(row))
    route()
    assert terms(row) == [
        (NOW, NOW + 40 * DAY, 100),
        (NOW + 40 * DAY, NOW + 80 * DAY, 160),
        (NOW + 120 * DAY, None, 160),
    ]
    assert kinds() == ["started", "changed", "cancelled", "ended", "resumed"]
    assert movements() == [("new", 100), ("expansion", 60), ("churn", -160), ("reactivation", 160)]
    assert CustomerFacts.objects.get().mrr == 160


def test_the_database_refuses_overlapping_terms() -> None:
    who = customer(1)
    row = subscription(who, NOW, NOW + 10 * DAY)
    term(row, NOW + 10 * DAY)
    term(subscription(who), NOW)  # another subscription may run beside it
    with pytest.raises(IntegrityError, match="terms_do_not_overlap"):
        term(row, NOW - DAY, NOW + 9 * DAY)


def test_terms_go_with_their_subscription_to_another_customer() -> None:
    ada, bob = customer(1), customer(2)
    row = subscription(ada, NOW)
    Subscription.objects.filter(pk=row.pk).update(customer=bob)
    assert SubscriptionTerm.objects.get().customer_id == bob.pk
    SubscriptionTerm.objects.update(customer=ada)
    with pytest.raises(IntegrityError):
        connection.check_constraints()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount=st.decimals(0, 10**9, places=4),
    discount=st.decimals(0, 100, places=2),
    interval=st.sampled_from(["week", "month", "quarter", "year"]),
    count=st.integers(1, 120),
)
def test_python_and_the_database_agree_on_mrr(amount: Decimal, discount: Decimal, interval: str, count: int) -> None:
    conditions = Conditions("P", 1, amount, "EUR", interval, count, discount)
    with transaction.atomic():
        row = agreeing.start(customer(1).pk, conditions, Bond(), NOW)
        # PostgreSQL divides to sixteen digits at least, and keeps ten of them behind the point.
        assert abs(row.terms.get().mrr - conditions.mrr) <= max(Decimal("1e-10"), conditions.mrr * Decimal("1e-15"))
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("interval", "count", "discount", "mrr"),
    [
        ("year", 1, 0, "10"),
        ("quarter", 1, 0, "40"),
        ("month", 1, 0, "120"),
        ("week", 1, 0, "520"),
        ("month", 6, 0, "20"),
        ("month", 1, 25, "90"),
    ],
)
def test_mrr_is_as_metrics_says(interval: str, count: int, discount: int, mrr: str) -> None:
    row = subscription(customer(1), NOW, amount=120, interval=interval, interval_count=count, discount=discount)
    assert row.terms.get().mrr == Decimal(mrr)


def test_a_planned_change_waits_for_its_day_and_a_new_one_takes_its_place(at: At) -> None:
    at(NOW)
    who = customer(1)
    row = agreeing.start(who.pk, TEAM, Bond(), NOW - 10 * DAY)
    agreeing.change(row.pk, MORE, Bond(), NOW + 30 * DAY, opened(row))
    route()
    assert CustomerFacts.objects.get().mrr == 100
    at(NOW + DAY)
    agreeing.change(row.pk, replace(TEAM, amount=Decimal(90)), Bond(), NOW + 20 * DAY, opened(row))
    assert [mrr for *_, mrr in terms(row)] == [100, 90]
    at(NOW + 20 * DAY)
    route()
    assert CustomerFacts.objects.get().mrr == 90
    assert movements() == [("new", 100), ("contraction", -10)]


def test_what_has_stood_is_not_rewritten(at: At) -> None:
    at(NOW)
    row = agreeing.start(customer(1).pk, TEAM, Bond(), NOW - 50 * DAY)
    agreeing.change(row.pk, MORE, Bond(), NOW - 10 * DAY, opened(row))
    before = terms(row)
    acts: tuple[Callable[[], None], ...] = (
        lambda: agreeing.change(row.pk, TEAM, Bond(), NOW - 20 * DAY, opened(row)),
        lambda: agreeing.cancel(row.pk, NOW - 20 * DAY, "", opened(row)),
        lambda: agreeing.change(row.pk, TEAM, Bond(NOW - DAY), NOW, opened(row)),
        lambda: agreeing.resume(row.pk, NOW, opened(row)),
        lambda: agreeing.renew(row.pk, NOW - DAY, opened(row)),
    )
    for act in acts:
        with pytest.raises(Refused):
            act()
    assert terms(row) == before


def test_the_present_conditions_can_be_corrected(at: At) -> None:
    at(NOW)
    row = agreeing.start(customer(1).pk, TEAM, Bond(), NOW - 50 * DAY)
    agreeing.change(row.pk, MORE, Bond(), NOW - 50 * DAY, opened(row))
    assert terms(row) == [(NOW - 50 * DAY, None, 160)]


def test_the_second_of_two_editors_is_told(at: At) -> None:
    at(NOW)
    row = agreeing.start(customer(1).pk, TEAM, Bond(), NOW - DAY)
    both_saw = opened(row)
    at(NOW + timedelta(seconds=5))
    agreeing.change(row.pk, MORE, Bond(), clock.now(), both_saw)
    with pytest.raises(ChangedMeanwhile) as told:
        agreeing.cancel(row.pk, clock.now(), "", both_saw)
    assert told.value.stands.pk == row.pk
    assert Subscription.objects.get().cancelled_at is None


def test_a_cancellation_to_come_ends_it_then_and_can_be_taken_back(at: At) -> None:
    at(NOW)
    row = agreeing.start(customer(1).pk, TEAM, Bond(NOW + 20 * DAY), NOW - DAY)
    agreeing.cancel(row.pk, NOW + 20 * DAY, "Closed down", opened(row))
    at(NOW + DAY)
    agreeing.resume(row.pk, clock.now(), opened(row))
    stands = Subscription.objects.get()
    assert (stands.cancelled_at, stands.cancel_reason, stands.renews_at) == (None, "", NOW - DAY + 31 * DAY)
    agreeing.cancel(row.pk, NOW + 20 * DAY, "Closed down", opened(row))
    at(NOW + 21 * DAY)
    turn_all()
    route()
    assert kinds()[-1] == "ended"
    assert Event.objects.get(kind="subscription.ended").occurred_at == NOW + 20 * DAY
    assert CustomerFacts.objects.get().churned_at == NOW + 20 * DAY
    assert turn_all() == 0


def test_what_was_ended_as_it_began_goes_on(at: At) -> None:
    """Changed and ended on one day: the conditions of that day never held, and can be taken up on it all the same."""
    at(NOW)
    row = agreeing.start(customer(1).pk, TEAM, Bond(), NOW - 9 * DAY)
    agreeing.change(row.pk, MORE, Bond(), NOW, opened(row))
    agreeing.cancel(row.pk, NOW, "Closed down", opened(row))
    agreeing.resume(row.pk, NOW, opened(row))
    assert terms(row) == [(NOW - 9 * DAY, NOW, 100), (NOW, None, 160)]


def test_time_renews_what_renews_by_itself_and_ends_what_does_not(at: At) -> None:
    at(NOW)
    by_itself = agreeing.start(customer(1).pk, TEAM, Bond(NOW + DAY), NOW - DAY)
    fixed = agreeing.start(customer(2).pk, TEAM, Bond(NOW + 2 * DAY, auto_renews=False), NOW - DAY)
    kept = agreeing.start(customer(3).pk, TEAM, Bond(NOW + 2 * DAY, auto_renews=False), NOW - DAY)
    planned = agreeing.start(customer(4).pk, TEAM, Bond(), NOW + 3 * DAY)
    agreeing.renew(kept.pk, NOW + 400 * DAY, opened(kept))
    assert "started" not in kinds()[3:]
    at(NOW + 70 * DAY)
    turn_all()
    renewals = Event.objects.filter(kind="subscription.renewed", source="time")
    assert [event.customer_id for event in renewals] == [by_itself.customer_id] * 3
    assert Subscription.objects.get(pk=by_itself.pk).renews_at == datetime(2026, 8, 16, 9, 30, tzinfo=UTC)
    assert list(Event.objects.filter(kind="subscription.ended").values_list("customer", flat=True)) == [
        fixed.customer_id
    ]
    started = Event.objects.get(kind="subscription.started", customer=planned.customer_id)
    assert started.occurred_at == NOW + 3 * DAY


def test_the_day_of_the_month_survives_short_months(at: At) -> None:
    start = datetime(2026, 1, 31, 12, tzinfo=UTC)
    at(start)
    row = agreeing.start(customer(1).pk, TEAM, Bond(datetime(2026, 2, 28, 12, tzinfo=UTC)), start)
    at(start + 100 * DAY)
    turn_all()
    renewals = Event.objects.filter(kind="subscription.renewed").order_by("occurred_at")
    days = [at.day for at in renewals.values_list("occurred_at", flat=True)]
    assert days == [28, 31, 30]
    assert Subscription.objects.get(pk=row.pk).renews_at == datetime(2026, 5, 31, 12, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_told() -> None:
    row = agreeing.start(customer(1).pk, TEAM, Bond(), clock.now() - DAY)
    saw, outcomes = opened(row), []

    def change(amount: int) -> None:
        try:
            conditions = replace(TEAM, amount=Decimal(amount))
            agreeing.change(row.pk, conditions, Bond(), clock.now(), saw)
            outcomes.append("done")
        except ChangedMeanwhile:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=(amount,)) for amount in (150, 170)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "told"]
    assert len(terms(row)) == 2


def test_what_changes_is_told_with_its_unit() -> None:
    before = Conditions("House", 5, Decimal("1000.5000"), "EUR", "month", 1, Decimal("20.00"))
    after = Conditions("House", 8, Decimal("1600.0000"), "EUR", "month", 1)
    assert agreeing.differences(before, after) == (
        "quantity from 5 to 8, amount from 1,000.50 EUR to 1,600.00 EUR, discount from 20 % to 0 %"
    )
