"""The product's figures on Online Retail, brought in by the product's own import, against REFERENCE §5."""

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from customers.facts.folding import fold
from customers.models import Customer, Order
from metrics.cohorts import Convention, Measure, Question, default_window, grid
from metrics.purchases import Purchases
from metrics.retention import Active
from metrics.scope import Scope
from metrics.windows import Window
from retention.workspace.models import Basis

pytestmark = pytest.mark.django_db
NOW = datetime(2011, 12, 10, tzinfo=UTC)
LONDON = ZoneInfo("UTC")


@pytest.fixture(scope="module", autouse=True)
def folded(online_retail: None) -> None:
    fold(list(Customer.objects.values_list("pk", flat=True)))


def months_to_now() -> Scope:
    return Scope(default_window(NOW, LONDON), NOW, Basis.ORDERS, 90, "GBP", 0.4)


@pytest.mark.parametrize(
    ("file", "convention"), [("A", Convention.ALL), ("B", Convention.KEPT), ("C", Convention.PAID)]
)
def test_the_cohort_grid_equals_the_published_one_cell_for_cell(
    shared: Path, file: str, convention: Convention
) -> None:
    with (shared / "online_retail" / f"cohort_{file}.csv").open() as lines:
        expected = {
            date.fromisoformat(f"{row.pop('c')}-01"): [int(float(cell)) for cell in row.values() if cell]
            for row in csv.DictReader(lines)
        }
    found = grid(Question(months_to_now(), Measure.ON, convention))
    assert {row.month: [cell.customers for cell in row.cells] for row in found.cohorts} == expected
    assert [row.size for row in found.cohorts] == [row[0] for row in expected.values()]
    assert [cell.mature for cell in found.cohorts[0].cells] == [True] * 12 + [False]


def test_repeat_purchase_and_revenue_equal_the_published_figures() -> None:
    """RFM's customers, orders and revenue (convention C); ours also has the one customer whose order cost nothing."""
    whole = Window(date(2010, 12, 1), date(2011, 12, 10), LONDON)
    found = Purchases().figures(months_to_now().over(whole))
    (repeat,), (revenue,) = found["repeat_rate"], found["revenue"]
    assert repeat.numerator
    assert repeat.denominator
    assert (repeat.numerator.customers, repeat.denominator.customers) == (2845, 4339)
    assert repeat.numerator.customers / 4338 == pytest.approx(0.6558321807284463)
    assert revenue.value == Decimal("8911407.904")


def test_retention_equals_plain_sets() -> None:
    """The 90 days up to 1 December 2011, with activity over 90 days, counted from the orders themselves."""
    autumn = Window(date(2011, 9, 2), date(2011, 12, 1), LONDON)
    orders = Order.objects.filter(state="completed", customer__isnull=False)
    seen = [(who, at.date()) for who, at in orders.values_list("customer_id", "ordered_at")]
    before = {who for who, day in seen if date(2011, 6, 4) <= day < date(2011, 9, 2)}
    inside = {who for who, day in seen if date(2011, 9, 2) <= day < date(2011, 12, 1)}
    (found,) = Active().figures(months_to_now().over(autumn))["retention_rate"]
    assert found.value == len(before & inside) / len(before)
    assert found.value == pytest.approx(0.6, abs=0.1)
