"""The cohort grid against a plain-Python oracle, cell for cell with its receipts, and with young months marked."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.facts.folding import fold
from customers.models import Customer, CustomerMonth
from metrics.cohorts import MEASURES, CellSource, Convention, Measure, Question, default_window, grid
from metrics.scope import Scope
from metrics.windows import Window, add_months
from retention.common import clock
from tests.metrics.worlds import NOW, buyer, customer, instant, order, scope, segment

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 1)
Orders = list[tuple[int, bool, int]]  # month index, cancelled, amount


def months(who: Customer, orders: Orders) -> None:
    """The rollup of a customer's orders, by the words of the model: three ways to count, each with its cohort."""
    counted = {
        Convention.ALL: orders,
        Convention.KEPT: [o for o in orders if not o[1]],
        Convention.PAID: [o for o in orders if not o[1] and o[2] > 0],
    }
    cohort = {way: add_months(FIRST, min(o[0] for o in seen)) if seen else None for way, seen in counted.items()}
    for index in {o[0] for o in orders}:
        fields: dict[str, Any] = {}
        for way, seen in counted.items():
            here = [o[2] for o in seen if o[0] == index]
            fields |= {f"orders_{way}": len(here), f"revenue_{way}": sum(here), f"cohort_{way}": cohort[way]}
        CustomerMonth.objects.create(customer=who, month=add_months(FIRST, index), **fields)


def january_to_may() -> Scope:
    return scope("2026-01-01", "2026-06-01", now=instant("2026-06-01T00:00:00+00:00"))


def test_it_works() -> None:
    months(customer("stays"), [(0, False, 100), (1, False, 50), (3, False, 10)])
    months(customer("goes"), [(0, False, 100)])
    months(customer("later"), [(2, False, 30)])
    found = grid(Question(january_to_may()))
    assert [(row.month.month, row.size, [cell.customers for cell in row.cells]) for row in found.cohorts] == [
        (1, 2, [2, 1, 0, 1, 0, 0]),
        (3, 1, [1, 0, 0, 0]),
    ]
    assert [found.averages[k] for k in (0, 1)] == [1.0, pytest.approx(1 / 3)]
    assert [row.small for row in found.cohorts] == [True, True]
    later = grid(Question(january_to_may(), Measure.LATER))
    assert [cell.customers for cell in later.cohorts[0].cells] == [2, 1, 1, 1, 0, 0]
    money = grid(Question(january_to_may(), Measure.CUMULATIVE))
    assert [cell.value for cell in money.cohorts[0].cells[:4]] == [100, 125, 125, 130]


def test_money_in_other_currencies_is_left_out_and_said() -> None:
    who = buyer("both", "2026-01-10", amount="100")
    order(who, "2026-01-20", "7000", currency="JPY")
    order(who, "2026-02-20", "9000", currency="JPY")
    with clock.at(instant("2026-06-01")):
        fold([who.pk])
    question = Question(january_to_may(), Measure.REVENUE)
    found = grid(question)
    assert [cell.value for cell in found.cohorts[0].cells[:2]] == [100, 0]
    assert found.cohorts[0].cells[1].customers == 1, "the order itself counts"
    assert found.foreign == 1
    january = replace(question.scope, window=Window(FIRST, add_months(FIRST, 1), question.scope.zone))
    opened = CellSource(Convention.KEPT, 0).figures(january)["cohort_revenue"][0]
    assert (opened.value, [(part.key, part.customers) for part in opened.excluded]) == (100, [("foreign", 1)])


def test_a_month_that_has_not_ended_is_marked_and_left_out_of_averages() -> None:
    months(customer(), [(0, False, 10), (1, False, 10), (4, False, 10)])
    months(customer(), [(1, False, 10)])
    middle_of_may = scope("2026-01-01", "2026-06-01", now=instant("2026-05-15"))
    found = grid(Question(middle_of_may))
    assert [cell.mature for cell in found.cohorts[0].cells] == [True, True, True, True, False]
    assert found.averages == (1.0, 0.5, 0.0, 0.0, None)


def test_the_month_is_that_of_the_workspaces_zone() -> None:
    """At 23:00 UTC on 31 May it is June in Berlin."""
    late = instant("2026-05-31T23:00:00+00:00")
    assert Question(scope("2026-01-01", "2026-06-01", now=late)).this_month == date(2026, 5, 1)
    assert Question(scope("2026-01-01", "2026-06-01", now=late, zone="Europe/Berlin")).this_month == date(2026, 6, 1)


def test_the_default_is_this_month_and_twelve_before() -> None:
    window = default_window(NOW, NOW.tzinfo)  # type: ignore[arg-type]
    assert len(Question(scope(window.first.isoformat(), window.until.isoformat())).months) == 13


def test_a_segment_limits_every_cell() -> None:
    inside = customer("inside")
    months(inside, [(0, False, 10)])
    months(customer("outside"), [(0, False, 10)])
    where = scope("2026-01-01", "2026-06-01", segment=segment("VIP", inside))
    assert grid(Question(where)).cohorts[0].size == 1


def test_without_orders_the_grid_is_empty() -> None:
    found = grid(Question(january_to_may()))
    assert (found.cohorts, found.averages) == ((), ())


order_lists = st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(-5, 20)), max_size=5)


@settings(max_examples=25, deadline=None)
@given(st.lists(order_lists, max_size=7), st.sampled_from(Convention))
def test_the_grid_equals_a_plain_count(world: list[Orders], way: Convention) -> None:
    Customer.objects.all().delete()
    for orders in world:
        months(customer(), orders)
    now = instant("2026-06-20")
    where = scope("2026-01-01", "2026-07-01", now=now)
    on, money = (grid(Question(where, measure, way)) for measure in (Measure.ON, Measure.REVENUE))
    assert {row.month: [cell.customers for cell in row.cells] for row in on.cohorts} == _oracle(world, way)
    later = grid(Question(where, Measure.LATER, way))
    for row, then in zip(on.cohorts, later.cohorts, strict=True):
        assert all(a.customers >= b.customers for a, b in pairwise(then.cells)), "on or after never rises"
        assert all(a.customers <= b.customers for a, b in zip(row.cells, then.cells, strict=True))
    counted = [o for orders in world for o in orders if way is Convention.ALL or not o[1]]
    counted = [o for o in counted if way is not Convention.PAID or o[2] > 0]
    assert sum(cell.amount for row in money.cohorts for cell in row.cells) == sum(o[2] for o in counted)


def _oracle(world: list[Orders], way: Convention) -> dict[date, list[int]]:
    """Who ordered in which month after their first, counted with sets."""
    ordered: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for who, orders in enumerate(world):
        kept = [m for m, cancelled, amount in orders if _counts(way, cancelled, amount)]
        for month in kept:
            ordered[min(kept)][month].add(who)
    return {
        add_months(FIRST, first): [len(ordered[first][month]) for month in range(first, 6)] for first in sorted(ordered)
    }


def _counts(way: Convention, cancelled: bool, amount: int) -> bool:
    return way is Convention.ALL or (not cancelled and (way is Convention.KEPT or amount > 0))


@pytest.mark.parametrize("way", Convention)
@pytest.mark.parametrize("measure", Measure)
def test_every_cell_opens_to_what_it_says(measure: Measure, way: Convention) -> None:
    months(customer(), [(0, False, 100), (1, True, -20), (1, False, 0), (3, False, 10)])
    months(customer(), [(0, True, -5), (2, False, 40)])
    months(customer(), [(0, False, 7), (5, False, 8)])
    where = scope("2026-01-01", "2026-07-01", now=instant("2026-06-20"))
    for row in grid(Question(where, measure, way)).cohorts:
        for cell in row.cells:
            source = CellSource(way, cell.period)
            there = where.over(Window(row.month, add_months(row.month, 1), where.zone))
            found = source.figures(there)[MEASURES[measure].name][0]
            assert found.value == cell.value
            assert found.denominator
            assert found.denominator.customers == row.size
            assert source.behind(there, "cohort").count() == row.size
            assert found.numerator
            assert source.behind(there, found.numerator.key).count() == found.numerator.customers
