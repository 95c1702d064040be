"""The board: months as columns, and in each its renewals in groups, with what they are worth a month. Two queries.

Money of different currencies is never added up: a sum is one for each currency.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Sum, Window
from django.db.models.functions import RowNumber

from customers.renewals.asking import GROUPS, OVERDUE, PATHS, Asked
from customers.renewals.due import Span
from customers.renewals.rows import Renewal

#: Of each group of a month so many are shown, those worth most; its heading opens all of them.
SHOWN = 5


@dataclass(frozen=True)
class Worth:
    """What `number` renewals in one currency are worth a month, and the query that lists them."""

    mrr: Decimal
    currency: str
    number: int
    query: str


@dataclass(frozen=True)
class Cell:
    """As the database counts them: a month (None: over) × a forecast × a stage × a currency."""

    month: date | None
    forecast: str
    stage: str
    currency: str
    mrr: Decimal
    number: int


@dataclass(frozen=True)
class Group:
    """Renewals of one forecast or stage: of one month, or of all of them."""

    key: str
    label: str
    query: str
    sums: Sequence[Worth]
    shown: Sequence[Renewal] = ()

    @property
    def number(self) -> int:
        return sum(each.number for each in self.sums)

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.number - len(self.shown)


@dataclass(frozen=True)
class Column:
    """A month; None where they are over."""

    month: date | None
    query: str
    sums: Sequence[Worth]
    groups: Sequence[Group]

    @property
    def key(self) -> str:
        return f"{self.month:%Y-%m}" if self.month else OVERDUE

    @property
    def number(self) -> int:
        return sum(each.number for each in self.sums)


@dataclass(frozen=True)
class Board:
    """`groups` are over all columns."""

    columns: Sequence[Column]
    groups: Sequence[Group]
    sums: Sequence[Worth]

    @property
    def number(self) -> int:
        return sum(each.number for each in self.sums)


def board(asked: Asked, span: Span, me: int, own_currency: str) -> Board:
    """What is asked for, whatever the number of renewals."""
    cells = _cells(asked, span, me, own_currency)
    shown = _shown(asked, span, me)
    over = [None] if any(cell.month is None for cell in cells) else []
    columns = [_column(asked, month, cells, shown) for month in (*over, *span.months)]
    return Board(columns, _groups(asked, cells), _sums(asked, cells))


def _cells(asked: Asked, span: Span, me: int, own_currency: str) -> list[Cell]:
    """The workspace's currency first."""
    rows = asked.rows(span, me).order_by().values("month", "expected", "stage", "currency")
    counted = rows.annotate(worth=Sum("mrr"), number=Count("pk"))
    found = [
        Cell(row["month"], row["expected"], row["stage"], row["currency"], row["worth"], row["number"])
        for row in counted
    ]
    return sorted(found, key=lambda cell: (cell.currency != own_currency, cell.currency))


def _shown(asked: Asked, span: Span, me: int) -> list[Renewal]:
    """Of each group of each month those worth most."""
    place = Window(RowNumber(), partition_by=[F("month"), F(PATHS[asked.by])], order_by=[F("mrr").desc(), F("pk")])
    rows = asked.rows(span, me).annotate(place=place).filter(place__lte=SHOWN)
    found = rows.select_related("subscription__forecast__set_by", "customer__facts", "customer__owner")
    return [Renewal(term) for term in found.order_by("-mrr", "pk")]


def _column(asked: Asked, month: date | None, cells: Iterable[Cell], shown: Iterable[Renewal]) -> Column:
    key = f"{month:%Y-%m}" if month else OVERDUE
    inside = asked.but(month=key)
    own = [cell for cell in cells if cell.month == month]
    cards = [each for each in shown if each.term.month == month]  # type: ignore[attr-defined]  # annotated
    groups = [each for each in _groups(inside, own, cards) if each.number]
    return Column(month, inside.query(), _sums(inside, own), groups)


def _groups(asked: Asked, cells: Sequence[Cell], shown: Sequence[Renewal] = ()) -> list[Group]:
    """In the order of GROUPS; of forecasts all, of stages those that there are."""
    of_cell, of_card = _KEYS[asked.by]
    found = []
    for key, label in GROUPS[asked.by].items():
        within = asked.but(**{asked.by: key})
        own = [cell for cell in cells if of_cell(cell) == key]
        if own or asked.by == "forecast":
            cards = [each for each in shown if of_card(each) == key]
            found.append(Group(key, label, within.query(), _sums(within, own), cards))
    return found


_KEYS: dict[str, tuple[Callable[[Cell], str], Callable[[Renewal], str]]] = {
    "forecast": (lambda cell: cell.forecast, lambda card: card.forecast),
    "stage": (lambda cell: cell.stage, lambda card: card.stage),
}


def _sums(asked: Asked, cells: Iterable[Cell]) -> list[Worth]:
    """One for each currency, in the order of the cells."""
    found: dict[str, list[Any]] = {}
    for cell in cells:
        worth = found.setdefault(cell.currency, [Decimal(0), 0])
        worth[0] += cell.mrr
        worth[1] += cell.number
    return [
        Worth(mrr, currency, number, asked.but(currency=currency).query()) for currency, (mrr, number) in found.items()
    ]
