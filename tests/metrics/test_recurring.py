"""Recurring revenue: movements add up on every history, and each figure is what METRICS says of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from django.db.models import Q, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.facts.folding import fold
from customers.models import Customer, MrrMovement, SubscriptionTerm
from metrics.figures import Figure
from metrics.recurring import Recurring
from metrics.revenue import movement, revenue
from metrics.windows import Window
from retention.workspace.models import Workspace
from tests.customers.facts.world import World
from tests.customers.subscribing import subscription, term
from tests.metrics.worlds import customer, instant, scope

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]


def fold_everybody() -> None:
    fold(list(Customer.objects.values_list("pk", flat=True)))


def pays(name: str, *steps: tuple[str, str | None, int], currency: str = "EUR") -> Customer:
    """A customer with one subscription: from, to (None: still), EUR a month."""
    who = customer(name)
    row = subscription(who)
    for start, end, amount in steps:
        term(row, instant(start), instant(end) if end else None, amount=amount, currency=currency)
    return who


def read(first: str, until: str, currency: str = "") -> dict[str, Figure]:
    fold_everybody()
    return {name: found[0] for name, found in Recurring(currency).figures(scope(first, until)).items()}


def values(figures: dict[str, Figure]) -> dict[str, float | None]:
    return {name: None if figure.value is None else float(figure.value) for name, figure in figures.items()}


def test_it_works() -> None:
    """May 2026: one of everything. S = 100 + 200 + 300 + 400 = 1,000."""
    pays("stays", ("2026-01-10", None, 100))
    pays("grows", ("2026-01-10", "2026-05-10", 200), ("2026-05-10", None, 250))
    pays("shrinks", ("2026-01-10", "2026-05-11", 300), ("2026-05-11", None, 180))
    pays("leaves", ("2026-01-10", "2026-05-20", 400))
    pays("is new", ("2026-05-05", None, 70))
    pays("comes back", ("2026-01-10", "2026-03-01", 30), ("2026-05-06", None, 35))
    found = read("2026-05-01", "2026-06-01")
    assert values(found) == {
        "mrr": 635,
        "arr": 7_620,
        "new_mrr": 70,
        "expansion_mrr": 50,
        "contraction_mrr": 120,
        "churned_mrr": 400,
        "reactivation_mrr": 35,
        "gross_revenue_retention": pytest.approx((100 + 200 + 180) / 1_000),
        "net_revenue_retention": pytest.approx((100 + 250 + 180) / 1_000),
        "quick_ratio": pytest.approx((70 + 50 + 35) / (400 + 120)),
    }
    signed = [step.sign * step.amount for step in movement(found) if step.sign]
    assert 1_000 + sum(signed) == 635


def test_without_losses_and_without_anything_it_says_so() -> None:
    assert all(value is None for value in values(read("2026-05-01", "2026-06-01")).values())
    pays("is new", ("2026-05-05", None, 70))
    found = read("2026-05-01", "2026-06-01")
    assert (found["quick_ratio"].value, found["quick_ratio"].definition.nothing) == (None, "no losses")
    assert (found["gross_revenue_retention"].value, found["mrr"].value) == (None, 70)
    june = read("2026-04-01", "2026-05-01")
    assert june["quick_ratio"].definition.nothing == "nothing moved"


def test_who_joins_and_leaves_or_leaves_and_returns_inside_a_window() -> None:
    """GRR and NRR are over those of the start, by where they stand at the end; the movements tell both ways."""
    pays("joins and leaves", ("2026-05-05", "2026-05-20", 70))
    pays("pauses", ("2026-01-10", "2026-05-05", 100), ("2026-05-20", None, 100))
    found = values(read("2026-05-01", "2026-06-01"))
    assert (found["gross_revenue_retention"], found["net_revenue_retention"]) == (1, 1)
    assert (found["new_mrr"], found["churned_mrr"], found["reactivation_mrr"]) == (70, 170, 100)


def test_all_subscriptions_of_a_customer_count_together() -> None:
    who = pays("changes over", ("2026-01-10", "2026-05-10", 100))
    subscription(who, instant("2026-05-10"), amount=120)
    found = values(read("2026-05-01", "2026-06-01"))
    assert (found["churned_mrr"], found["new_mrr"], found["expansion_mrr"]) == (0, 0, 20)


def test_other_currencies_are_left_out_and_shown() -> None:
    pays("euro", ("2026-01-10", None, 100))
    pays("dollar", ("2026-01-10", None, 900), currency="USD")
    found = read("2026-05-01", "2026-06-01")
    assert found["mrr"].value == 100
    assert [(part.key, part.customers) for part in found["mrr"].excluded] == [("foreign", 1)]
    report = revenue(scope("2026-05-01", "2026-06-01"))
    assert [(each.currency, int(each.mrr), each.customers) for each in report.others] == [("USD", 900, 1)]
    dollars = read("2026-05-01", "2026-06-01", currency="USD")
    assert (dollars["mrr"].value, dollars["mrr"].currency) == (900, "USD")
    assert "currency=USD" in dollars["mrr"].query


def test_a_day_begins_at_the_workspaces_midnight_and_what_happens_then_belongs_to_it() -> None:
    """Berlin is UTC+2 in May."""
    Workspace.objects.update(time_zone="Europe/Berlin")
    pays("on the first of May", ("2026-04-30T22:00:00+00:00", None, 10))
    pays("a second before", ("2026-04-30T21:59:59+00:00", None, 5))
    pays("until the first of May", ("2026-01-10", "2026-04-30T22:00:00+00:00", 3))
    fold_everybody()
    may = scope("2026-05-01", "2026-06-01", zone="Europe/Berlin")
    found = {name: each[0].value for name, each in Recurring().figures(may).items()}
    assert (found["new_mrr"], found["churned_mrr"], found["mrr"]) == (10, 3, 15)
    assert found["gross_revenue_retention"] == Decimal(5) / 8


def mrr_before(at: datetime) -> Decimal:
    """What METRICS calls MRR, straight from the terms, in the moment before an instant."""
    standing = Q(valid_from__lt=at) & (Q(valid_to=None) | Q(valid_to__gte=at))
    found: Decimal = SubscriptionTerm.objects.filter(standing, currency="EUR").aggregate(
        mrr=Sum("mrr", default=Decimal(0))
    )["mrr"]
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"]),
    cuts=st.lists(st.integers(1, 900), min_size=2, max_size=5, unique=True),
)
def test_movements_add_up_on_every_history(seed: int, zone: str, cuts: list[int]) -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    with transaction.atomic(), time_machine.travel(now, tick=False):
        Workspace.objects.update(time_zone=zone)
        world = World(seed, now, customers=8)
        for _ in range(3):
            for who in world.customers:
                world.subscribe(who)
        fold_everybody()
        windows = spans(cuts, zone)
        trend = Recurring().figures(scope("2026-01-01", "2026-02-01", zone=zone), windows)
        for i, window in enumerate(windows):
            figures = {name: found[i] for name, found in trend.items()}
            start, *moves, end = movement(figures)
            assert start.amount == mrr_before(window.start)
            assert start.amount + sum(step.sign * step.amount for step in moves) == end.amount
            assert end.amount == mrr_before(window.end)
            kept = figures["gross_revenue_retention"].value
            assert kept is None or 0 <= kept <= min(1, figures["net_revenue_retention"].value or 0)
        transaction.set_rollback(True)


def spans(cuts: list[int], zone: str) -> list[Window]:
    """Windows that follow one another, cut at days before 1 June 2026."""
    days = [date(2026, 6, 1) - timedelta(days=cut) for cut in sorted(cuts, reverse=True)]
    return [Window(first, until, ZoneInfo(zone)) for first, until in pairwise(days)]


def test_a_movement_of_another_kind_than_its_sizes_is_refused() -> None:
    pays("stays", ("2026-01-10", None, 100))
    fold_everybody()
    with pytest.raises(Exception, match="movement_is_of_its_kind"):
        MrrMovement.objects.update(kind="churn")
