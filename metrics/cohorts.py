"""Monthly cohorts by first order: who ordered again how many months later, and what they spent.

Everything is read from the customer-month rollup, which holds three ways to count orders side by side. A cell is
immature while its month, in the workspace's zone, has not ended: it is shown and marked, and left out of averages.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Count, F, Q, QuerySet, Sum

from customers.models import CustomerMonth
from metrics import definitions
from metrics.definitions import Definition
from metrics.figures import Figure, Number
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies
from metrics.windows import Window, add_months, month_of, months_between


class Convention(StrEnum):
    """Which orders count."""

    ALL = "all"
    KEPT = "kept"
    PAID = "paid"

    @property
    def label(self) -> str:
        return CONVENTION_LABELS[self]


CONVENTION_LABELS = {
    Convention.ALL: "all orders and credit notes",
    Convention.KEPT: "without cancelled and refunded orders",
    Convention.PAID: "orders of a positive amount only",
}


class Measure(StrEnum):
    """What a cell says of a cohort's month."""

    ON = "on"
    LATER = "on_or_after"
    REVENUE = "revenue"
    CUMULATIVE = "cumulative"

    @property
    def label(self) -> str:
        return MEASURES[self].label

    @property
    def is_money(self) -> bool:
        return self in (Measure.REVENUE, Measure.CUMULATIVE)


MEASURES: dict[Measure, Definition] = {
    Measure.ON: definitions.COHORT_ACTIVE,
    Measure.LATER: definitions.COHORT_ACTIVE_LATER,
    Measure.REVENUE: definitions.COHORT_REVENUE,
    Measure.CUMULATIVE: definitions.COHORT_REVENUE_PER_CUSTOMER,
}


@dataclass(frozen=True)
class Question:
    """Cohorts of the months that the scope's window touches."""

    scope: Scope
    measure: Measure = Measure.ON
    convention: Convention = Convention.KEPT

    @property
    def months(self) -> list[date]:
        first, last = month_of(self.scope.window.first), month_of(self.scope.window.last)
        return [add_months(first, i) for i in range(months_between(first, last) + 1)]

    @property
    def this_month(self) -> date:
        return month_of(self.scope.now.astimezone(self.scope.zone).date())

    @property
    def query(self) -> dict[str, str]:
        return {**self.scope.query, "measure": self.measure.value, "orders": self.convention.value}

    def rollup(self) -> QuerySet[Any]:
        """Months with orders of the asked-for cohorts, as the convention counts; `cohort` is on the row."""
        own = {f"orders_{self.convention}__gt": 0, f"cohort_{self.convention}__in": self.months}
        rows = CustomerMonth.objects.filter(**own, month__lte=self.this_month)
        members = self.scope.members()
        rows = rows if members is None else rows.filter(customer_id__in=members)
        return rows.annotate(cohort=F(f"cohort_{self.convention}"), revenue=F(f"revenue_{self.convention}"))


@dataclass(frozen=True)
class Cell:
    """`customers` ordered in the month (or then or later); `amount` is the measure's money. `value` is what it shows:
    a share 0–1, or money."""

    period: int
    customers: int
    amount: Decimal
    value: Number
    mature: bool


@dataclass(frozen=True)
class Cohort:
    month: date
    size: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid:
    """`averages[k]` is weighted by cohort size over the mature cells of period k, None where there is none."""

    question: Question
    cohorts: tuple[Cohort, ...]
    averages: tuple[Number | None, ...]

    @property
    def periods(self) -> range:
        return range(len(self.averages))


Sums = Mapping[date, Mapping[date, tuple[int, Decimal]]]


def grid(question: Question) -> Grid:
    """The cohort grid. One query for money and for customers on, one more for customers on or after."""
    sums = _sums(question)
    cohorts = tuple(_cohort(question, month, sums[month]) for month in question.months if month in sums)
    width = max((len(cohort.cells) for cohort in cohorts), default=0)
    return Grid(question, cohorts, tuple(_average(question, cohorts, k) for k in range(width)))


def _sums(question: Question) -> Sums:
    """Customers and revenue by cohort and month."""
    found: dict[date, dict[date, tuple[int, Decimal]]] = defaultdict(dict)
    cells = question.rollup().values("cohort", "month").annotate(n=Count("pk"), total=Sum("revenue"))
    for cohort, month, n, total in cells.values_list("cohort", "month", "n", "total"):
        found[cohort][month] = (n, total)
    return _on_or_after(question, found) if question.measure is Measure.LATER else found


def _on_or_after(question: Question, on: Sums) -> Sums:
    """Customers by the month or any later one: those whose last month is not before it."""
    last = question.rollup().order_by("customer_id", "-month").distinct("customer_id")
    ended = question.rollup().filter(pk__in=last.values("pk")).values("cohort", "month").annotate(n=Count("pk"))
    lasts: dict[date, dict[date, int]] = defaultdict(dict)
    for cohort, month, n in ended.values_list("cohort", "month", "n"):
        lasts[cohort][month] = n
    return {
        cohort: {
            month: (sum(n for end, n in lasts[cohort].items() if end >= month), Decimal(0))
            for month in _months(cohort, question.this_month)
        }
        for cohort in on
    }


def _months(first: date, last: date) -> Iterable[date]:
    return (add_months(first, i) for i in range(months_between(first, last) + 1))


def _cohort(question: Question, cohort: date, sums: Mapping[date, tuple[int, Decimal]]) -> Cohort:
    size, _ = sums[cohort]
    cells, total = [], Decimal(0)
    for k, month in enumerate(_months(cohort, question.this_month)):
        customers, amount = sums.get(month, (0, Decimal(0)))
        total += amount
        amount = total if question.measure is Measure.CUMULATIVE else amount
        value = _value(question.measure, customers, amount, size)
        cells.append(Cell(k, customers, amount, value, mature=month < question.this_month))
    return Cohort(cohort, size, tuple(cells))


def _value(measure: Measure, customers: int, amount: Decimal, size: int) -> Number:
    if measure is Measure.REVENUE:
        return amount
    return amount / size if measure is Measure.CUMULATIVE else customers / size


def _average(question: Question, cohorts: Sequence[Cohort], k: int) -> Number | None:
    """Of all customers whose cohort has a mature month k: the share that ordered, or the money per customer."""
    mature = [(row.size, row.cells[k]) for row in cohorts if k < len(row.cells) and row.cells[k].mature]
    size = sum(n for n, _ in mature)
    if not size:
        return None
    if question.measure.is_money:
        return sum((cell.amount for _, cell in mature), Decimal(0)) / size
    return sum(cell.customers for _, cell in mature) / size


def default_window(now: datetime, zone: tzinfo) -> Window:
    """This month's cohort and the twelve before it."""
    this = month_of(now.astimezone(zone).date())
    return Window(add_months(this, -12), add_months(this, 1), zone)


def _month_window(window: Window) -> Window:
    first = month_of(window.first)
    return Window(first, add_months(first, 1), window.zone)


class CellSource(Source):
    """What one cell opens to: one row per customer of the cohort, which is the month that the window begins with."""

    definitions = tuple(MEASURES.values())
    parts = {
        "cohort": Part("Customers of the cohort", lambda _: Q()),
        "active": Part("Ordered in the month", lambda _: Q(on=True)),
        "later": Part("Ordered in the month or later", lambda _: Q(later=True)),
        "spent": Part("Spent in the month", lambda _: Q(on=True), lambda _: "spent"),
        "spent_so_far": Part("Spent up to the month's end", lambda _: Q(), lambda _: "total"),
    }

    def __init__(self, convention: Convention, period: int) -> None:
        self.convention, self.period = convention, period

    @property
    def params(self) -> dict[str, str]:
        return {"orders": self.convention.value, "period": str(self.period)}

    def month(self, window: Window) -> date:
        return add_months(month_of(window.first), self.period)

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        month = self.month(windows[0])
        rollup = Question(scope.over(_month_window(windows[0])), convention=self.convention).rollup()
        rows: Rows = rollup.values("customer_id").annotate(
            on=BoolOr(Q(month=month)),
            later=BoolOr(Q(month__gte=month)),
            spent=Sum("revenue", filter=Q(month=month), default=Decimal(0)),
            total=Sum("revenue", filter=Q(month__lte=month), default=Decimal(0)),
        )
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        month = f"{self.month(scope.window):%B %Y}"
        note = f"Month {self.period} of the cohort of {scope.window.first:%B %Y}: {month}. "
        more: dict[str, Any] = {"note": f"{note}Counted: {self.convention.label}."}
        cohort = tallies["cohort"]
        if definition is definitions.COHORT_ACTIVE:
            return self.told_share(definition, scope, tallies["active"], cohort, **more)
        if definition is definitions.COHORT_ACTIVE_LATER:
            return self.told_share(definition, scope, tallies["later"], cohort, **more)
        if definition is definitions.COHORT_REVENUE:
            spent = tallies["spent"]
            return self.told(definition, scope, value=spent.amount, numerator=spent, denominator=cohort, **more)
        spent = tallies["spent_so_far"]
        value = spent.amount / cohort.customers if cohort.customers and spent.amount is not None else None
        return self.told(definition, scope, value=value, numerator=spent, denominator=cohort, **more)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        here = Q(month=self.month(scope.window))
        orders = Sum(f"orders_{self.convention}", filter=here, default=0)
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers).annotate(orders=orders)
        columns = (
            Column("orders", "Orders in the month", "number"),
            Column("spent", "Revenue in the month", "money"),
            Column("total", "Revenue up to its end", "money"),
        )
        return columns, rows
