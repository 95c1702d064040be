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
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import Count, F, Q, QuerySet, Sum

from customers.models import CustomerMonth
from metrics import definitions
from metrics.definition import Definition
from metrics.figures import SMALL, Figure, Number
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
    def average(self) -> Definition:
        """What the row of averages shows."""
        return definitions.COHORT_REVENUE_MEAN if self is Measure.REVENUE else MEASURES[self]

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

    @property
    def small(self) -> bool:
        return self.size < SMALL


@dataclass(frozen=True)
class Grid:
    """`averages[k]` is weighted by cohort size over the mature cells of period k, None where there is none.

    `foreign` is the number of customers with orders in other currencies, whose money is left out.
    """

    question: Question
    cohorts: tuple[Cohort, ...]
    averages: tuple[Number | None, ...]
    foreign: int = 0

    @property
    def periods(self) -> range:
        return range(len(self.averages))


Sums = Mapping[date, Mapping[date, tuple[int, Decimal]]]


def grid(question: Question) -> Grid:
    """The cohort grid. One query for customers on; one more for money, and for customers on or after."""
    sums = _sums(question)
    cohorts = tuple(_cohort(question, month, sums[month]) for month in question.months if month in sums)
    width = max((len(cohort.cells) for cohort in cohorts), default=0)
    averages = tuple(_average(question, cohorts, k) for k in range(width))
    return Grid(question, cohorts, averages, _foreign(question) if question.measure.is_money else 0)


def _foreign(question: Question) -> int:
    """Customers of the cohorts with orders in other currencies. One query."""
    return question.rollup().filter(orders_foreign__gt=0).aggregate(n=Count("customer_id", distinct=True))["n"] or 0


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


class CellSource(Source):
    """What a cell opens to, and an average: one row per customer of the cohorts that the window touches.

    A window of one month is a cell. Over several it is an average: of the cohorts whose month of the period has ended.
    """

    definitions = (*MEASURES.values(), definitions.COHORT_REVENUE_MEAN)
    parts = {
        "cohort": Part("Customers of the cohort", lambda _: Q()),
        "active": Part("Ordered in the month", lambda _: Q(on=True)),
        "later": Part("Ordered in the month or later", lambda _: Q(later=True)),
        "spent": Part("Spent in the month", lambda _: Q(on=True), lambda _: "spent"),
        "spent_so_far": Part("Spent up to the month's end", lambda _: Q(), lambda _: "total"),
        "foreign": Part("With orders in other currencies", lambda _: Q(foreign=True)),
    }

    def __init__(self, convention: Convention, period: int) -> None:
        self.convention, self.period = convention, period

    @property
    def params(self) -> dict[str, str]:
        return {"orders": self.convention.value, "period": str(self.period)}

    def cohorts(self, scope: Scope) -> list[date]:
        question = Question(scope)
        months = question.months
        if len(months) == 1:
            return months
        return [month for month in months if add_months(month, self.period) < question.this_month]

    def _months(self, scope: Scope, which: str) -> Q:
        """A row of the rollup in the period's month of its own cohort, or (`gte`, `lte`) from or up to it."""
        own = (Q(cohort=c, **{f"month__{which}": add_months(c, self.period)}) for c in self.cohorts(scope))
        return reduce(or_, own, Q(pk__in=[]))

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        there = scope.over(windows[0])
        rollup = Question(there, convention=self.convention).rollup().filter(cohort__in=self.cohorts(there))
        here = self._months(there, "exact")
        rows: Rows = rollup.values("customer_id").annotate(
            on=BoolOr(here),
            later=BoolOr(self._months(there, "gte")),
            spent=Sum("revenue", filter=here, default=Decimal(0)),
            total=Sum("revenue", filter=self._months(there, "lte"), default=Decimal(0)),
            foreign=BoolOr(Q(orders_foreign__gt=0)),
        )
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        cohort, note = tallies["cohort"], self._note(scope)
        part = tallies[_NUMERATORS[definition.name]]
        if part.amount is None:
            return self.told_share(definition, scope, part, cohort, note=note)
        per = 1 if definition is definitions.COHORT_REVENUE else cohort.customers
        value = part.amount / per if cohort.customers else None
        left_out = (tallies["foreign"],)
        return self.told(
            definition, scope, value=value, numerator=part, denominator=cohort, excluded=left_out, note=note
        )

    def _note(self, scope: Scope) -> str:
        cohorts = self.cohorts(scope)
        if len(Question(scope).months) == 1:
            month = f"{add_months(cohorts[0], self.period):%B %Y}"
            which = f"Month {self.period} of the cohort of {cohorts[0]:%B %Y}, that is {month}."
        else:
            which = f"Month {self.period} of {len(cohorts)} cohorts: those of the window for which it has ended."
        return f"{which} Counted: {self.convention.label}."

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        orders = Sum(f"orders_{self.convention}", filter=self._months(scope, "exact"), default=0)
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers).annotate(orders=orders)
        columns = (
            Column("orders", "Orders in the month", "number"),
            Column("spent", "Revenue in the month", "money"),
            Column("total", "Revenue up to its end", "money"),
        )
        return columns, rows


_NUMERATORS = {
    definitions.COHORT_ACTIVE.name: "active",
    definitions.COHORT_ACTIVE_LATER.name: "later",
    definitions.COHORT_REVENUE.name: "spent",
    definitions.COHORT_REVENUE_MEAN.name: "spent",
    definitions.COHORT_REVENUE_PER_CUSTOMER.name: "spent_so_far",
}
