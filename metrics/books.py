"""Books of business: each manager's customers with what they bring, what of it stays, and what was done for them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.definition import Definition
from metrics.figures import Figure, Tally
from metrics.looking_after import Books, Renewing, Talks, TasksDone, Untouched
from metrics.recurring import Recurring
from metrics.reports import FIGURE_COLUMNS, Row, figure_row, read_out_of, said_of
from metrics.retention import Active
from metrics.scope import Book, Scope
from metrics.sources import Source, Tallies
from retention.workspace.models import User

SOURCES: tuple[type[Source], ...] = (Books, Recurring, Active, Renewing, Talks, TasksDone, Untouched)
#: What stands of each book, in this order.
FIGURES = (
    "book_customers",
    "book_key_accounts",
    "mrr",
    "retention_rate",
    "net_revenue_retention",
    "mrr_renewing",
    "book_poor_health",
    "interactions",
    "tasks_done",
    "not_talked_to",
)


@dataclass(frozen=True)
class Owned:
    """One book; `book` is None for all of them together."""

    book: Book | None
    figures: Mapping[str, Figure]

    @property
    def name(self) -> str:
        return self.book.name if self.book else "Everybody"

    @property
    def shown(self) -> list[Figure]:
        return [self.figures[name] for name in FIGURES]


@dataclass(frozen=True)
class BooksReport:
    """Each manager's book by name, then nobody's, and all of them together."""

    scope: Scope
    books: Sequence[Owned]
    whole: Owned

    def as_dict(self) -> dict[str, Any]:
        told = [{"manager": each.name, "figures": [one.as_dict() for one in each.shown]} for each in self._all()]
        return {"report": "books", **said_of(self.scope), "books": told}

    def read_out(self) -> Iterable[Row]:
        for each in self._all():
            yield [each.name]
            yield from read_out_of(each.shown)

    def table(self) -> Iterable[Row]:
        yield ["manager", *FIGURE_COLUMNS]
        for each in self._all():
            yield from ([each.name, *figure_row(figure)] for figure in each.shown)

    def _all(self) -> list[Owned]:
        return [*self.books, self.whole]


def books(scope: Scope) -> BooksReport:
    """Over the scope's window. A query for each source, and one for the people, however many they are."""
    counted = [(source, source.count_by_owner(scope, scope.window)) for source in (kind() for kind in SOURCES)]
    owners = {owner for _, found in counted for owner in found}
    people = User.objects.in_bulk([owner for owner in owners if owner is not None])
    held = sorted((Book(people.get(owner)) for owner in owners if owner is None or owner in people), key=_by_name)
    whole = [(source, _together(source, found.values())) for source, found in counted]
    return BooksReport(
        scope,
        books=[_owned(scope, book, [(source, _of(source, found, book)) for source, found in counted]) for book in held],
        whole=_owned(scope, None, whole),
    )


def _by_name(book: Book) -> tuple[bool, str]:
    return book.owner is None, book.name.lower()


def _of(source: Source, found: Mapping[int | None, Tallies], book: Book) -> Tallies:
    return found.get(book.owner.pk if book.owner else None) or _together(source, [])


def _owned(scope: Scope, book: Book | None, counted: Iterable[tuple[Source, Tallies]]) -> Owned:
    within = scope.of(book) if book else scope
    figures = {
        each.name: source.figure(each, within, tallies) for source, tallies in counted for each in _wanted(source)
    }
    return Owned(book, figures)


def _wanted(source: Source) -> list[Definition]:
    return [each for each in source.definitions if each.name in FIGURES]


def _together(source: Source, found: Iterable[Tallies]) -> Tallies:
    """The parts of several books added up: nobody is in two of them."""
    rows = list(found)
    whole = {}
    for key, part in source.parts.items():
        amount = sum((row[key].amount or 0 for row in rows), start=0) if part.amount else None
        whole[key] = Tally(key, part.label, sum(row[key].customers for row in rows), amount)  # type: ignore[arg-type]
    return whole
