"""A receipt: a figure, its definition, and the customers behind each of its parts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower

from customers.models import Customer
from metrics.catalogue import UnknownFigure, source
from metrics.figures import Figure, Tally
from metrics.scope import Scope
from metrics.sources import Column, Source

BATCH = 1_000


@dataclass(frozen=True)
class Line:
    """A customer and what proves that they belong to the part."""

    customer: Customer
    evidence: tuple[tuple[Column, Any], ...]


@dataclass(frozen=True)
class Receipt:
    """`part` is the one whose customers are listed."""

    figure: Figure
    part: Tally
    scope: Scope
    source: Source

    @property
    def customers(self) -> QuerySet[Customer]:
        """Those behind the part, by name."""
        behind = self.source.behind(self.scope, self.part.key)
        return Customer.objects.filter(pk__in=behind).order_by(Lower("name"), "pk")

    @property
    def columns(self) -> Sequence[Column]:
        return self.source.evidence(self.scope, [])[0]

    def lines(self, customers: Sequence[Customer]) -> list[Line]:
        """The customers with their evidence. One query."""
        columns, rows = self.source.evidence(self.scope, [customer.pk for customer in customers])
        found = {row["customer_id"]: row for row in rows}
        return [
            Line(customer, tuple((column, found.get(customer.pk, {}).get(column.name)) for column in columns))
            for customer in customers
        ]

    def all_lines(self) -> Iterator[Line]:
        """Every line, read in batches."""
        batch: list[Customer] = []
        for customer in self.customers.iterator(chunk_size=BATCH):
            batch.append(customer)
            if len(batch) == BATCH:
                yield from self.lines(batch)
                batch = []
        yield from self.lines(batch)


def receipt(name: str, scope: Scope, query: Mapping[str, str]) -> Receipt:
    """The receipt of a figure. Raises UnknownFigure."""
    found = source(name, query)
    figure = next((of[0] for key, of in found.figures(scope).items() if key == name), None)
    if figure is None:
        raise UnknownFigure(name)
    key = query.get("part", "")
    part = _part(figure, key) or _other_part(found, scope, key)
    return Receipt(figure, part, scope, found)


def _part(figure: Figure, key: str) -> Tally | None:
    """The part by its key or by its place (`numerator`, `denominator`); without a key the first."""
    places = {"numerator": figure.numerator, "denominator": figure.denominator}
    named = {part.key: part for part in figure.parts} | places
    return named.get(key) if key else figure.parts[0]


def _other_part(found: Source, scope: Scope, key: str) -> Tally:
    """A part of the source that the figure itself does not show. Raises UnknownFigure."""
    if key not in found.parts or not found.parts[key].label:
        raise UnknownFigure(key)
    return found.count(scope, [scope.window])[0][key]
