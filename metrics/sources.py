"""Where figures come from: a source computes its figures and opens each of their parts, from the same rows.

A source reads one row per customer; a part is a condition on these rows. Counting the rows that satisfy it gives the
figure, listing them gives the receipt, so the two cannot disagree.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from metrics.definition import Definition
from metrics.figures import Figure, Tally
from metrics.inference import Share, wilson
from metrics.scope import Scope
from metrics.windows import Window

# Of dictionaries.
Rows = QuerySet[Any, Any]
Tallies = Mapping[str, Tally]


@dataclass(frozen=True)
class Column:
    """What a receipt shows of each customer to prove that they belong there."""

    name: str
    label: str
    kind: str  # "number", "money", "day", "text"


@dataclass(frozen=True)
class Part:
    """A condition on a source's rows for the window with the given index; `amount` names the column that is summed.

    A part without a label is for reckoning only and does not open.
    """

    label: str
    where: Callable[[int], Q]
    amount: Callable[[int], str] | None = None


_BY_OWNER = """
    SELECT customer.owner_id, {sums} FROM ({rows}) AS counted
      JOIN customers_customer customer ON customer.id = counted.customer_id GROUP BY customer.owner_id
"""


class Source(ABC):
    """Figures that are read together."""

    definitions: tuple[Definition, ...]
    parts: Mapping[str, Part]

    @property
    def params(self) -> dict[str, str]:
        """What a receipt's address says beside the scope."""
        return {}

    @abstractmethod
    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        """One row per customer, or per customer and window, with `customer_id` and the columns that parts name.

        Windows follow one another without gap, oldest first.
        """

    @abstractmethod
    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        """The figure that the parts of a window make."""

    def told(self, definition: Definition, scope: Scope, **more: Any) -> Figure:
        """A figure over the scope's window and segment."""
        return Figure(
            definition=definition,
            window=scope.window,
            basis=f"Active means {scope.active_means}." if definition.needs_basis else "",
            segment=scope.within,
            currency=scope.currency,
            query=urlencode({**scope.query, **self.params}),
            goes_on=bool(scope.unfinished),
            **more,
        )

    def told_share(
        self, definition: Definition, scope: Scope, numerator: Tally, denominator: Tally, **more: Any
    ) -> Figure:
        """A share of customers with its 95 % interval (Wilson)."""
        seen = share(numerator, denominator)
        interval = seen and wilson(seen)
        own = {"value": seen and seen.value, "interval": interval, "numerator": numerator, "denominator": denominator}
        return self.told(definition, scope, **own, **more)

    @abstractmethod
    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        """What a receipt shows of these customers, and the rows that hold it."""

    def figures(self, scope: Scope, windows: Sequence[Window] | None = None) -> dict[str, list[Figure]]:
        """Every figure of this source by name, for each window (the scope's own if none are given). One query."""
        spans = windows or [scope.window]
        counted = [(scope.over(window), found) for window, found in zip(spans, self.count(scope, spans), strict=True)]
        return {each.name: [self.figure(each, here, found) for here, found in counted] for each in self.definitions}

    def count(self, scope: Scope, windows: Sequence[Window]) -> list[Tallies]:
        """Every part, for each window. One query."""
        counted = self.rows(scope, windows).aggregate(**self._aggregates(len(windows)))
        return [self._tallies(counted, i) for i in range(len(windows))]

    def count_by_owner(self, scope: Scope, window: Window) -> dict[int | None, Tallies]:
        """Every part in the window for each owner of customers now; None is nobody. One query."""
        rows = self.rows(scope, [window]).filter(customer_id__isnull=False).order_by()
        flags, amounts = self._flags()
        flagged = rows.annotate(**flags, **amounts).values("customer_id", *flags, *amounts)
        query, params = flagged.query.sql_with_params()
        sums = ", ".join(f'sum("{name}")' for name in (*flags, *amounts))
        with connection.cursor() as cursor:
            cursor.execute(_BY_OWNER.format(sums=sums, rows=query), params)
            found = {row[0]: dict(zip((*flags, *amounts), row[1:], strict=True)) for row in cursor.fetchall()}
        return {owner: self._tallies(self._renamed(row), 0) for owner, row in found.items()}

    def _flags(self) -> tuple[dict[str, Case], dict[str, Case]]:
        """Whether a row belongs to each part, and what it adds to its amount."""
        flags = {
            f"in_{key}": Case(When(part.where(0), then=Value(1)), default=Value(0)) for key, part in self.parts.items()
        }
        amounts = {
            f"amount_{key}": Case(When(part.where(0), then=F(part.amount(0))), default=Value(Decimal(0)))
            for key, part in self.parts.items()
            if part.amount
        }
        return flags, amounts

    def _renamed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """As `_tallies` reads them."""
        counts = {f"{key}__0": int(row[f"in_{key}"]) for key in self.parts}
        return counts | {f"{key}__amount_0": row[f"amount_{key}"] for key, part in self.parts.items() if part.amount}

    def behind(self, scope: Scope, part: str) -> Rows:
        """The customers behind a part in the scope's window: rows with `customer_id`."""
        rows = self.rows(scope, [scope.window]).filter(self.parts[part].where(0), customer_id__isnull=False)
        return rows.values("customer_id")

    def _aggregates(self, windows: int) -> dict[str, Count | Sum]:
        found: dict[str, Count | Sum] = {}
        for key, part in self.parts.items():
            for i in range(windows):
                found[f"{key}__{i}"] = Count("customer_id", filter=part.where(i))
                if part.amount:
                    found[f"{key}__amount_{i}"] = Sum(part.amount(i), filter=part.where(i), default=Decimal(0))
        return found

    def _tallies(self, counted: Mapping[str, Any], i: int) -> Tallies:
        return {
            key: Tally(key, part.label, counted[f"{key}__{i}"], counted.get(f"{key}__amount_{i}"))
            for key, part in self.parts.items()
        }


def period(instant: str, windows: Sequence[Window]) -> Case:
    """The index of the window in which a row's instant lies; windows follow one another, and hold every row's."""
    spans = [When(**{f"{instant}__lt": window.end}, then=Value(i)) for i, window in enumerate(windows)]
    return Case(*spans, output_field=IntegerField())


def share(numerator: Tally, denominator: Tally) -> Share | None:
    """None over nobody."""
    return Share(numerator.customers, denominator.customers) if denominator.customers else None
