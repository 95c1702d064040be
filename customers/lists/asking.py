"""What a list's address asks for: words, filters, an order and the size of a page, read and said again."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, cast

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import QueryDict
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from customers.records.filters import Chip
from customers.records.listing import SIZES
from retention.common.headings import Heading, headings
from retention.common.keyset import Key, Turn, turn

SIZE = SIZES[1]
LONGEST = 100
#: Asks for everything, where to ask for nothing opens what somebody chose.
ALL = "view=all"


def once_asked(words: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    """Words that have to be read from the database: they are once somebody wants to know them."""
    return cast("Mapping[str, str]", SimpleLazyObject(words))


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed down by. `words` are its values as people read them; `narrow` is asked for "" as well.

    `other` says what a value beside those is called, None where it is none; where it is `hidden`, only a link asks for
    it.
    """

    label: str
    words: Mapping[str, str]
    narrow: Callable[[str], Q]
    usual: str = "Any"
    other: Callable[[str], object] = lambda _: None
    hidden: bool = False

    def called(self, value: str) -> str | None:
        """How a value reads; None where it is none of this filter."""
        if not value:
            return None
        other = self.words.get(value) or self.other(value)
        return None if other is None else str(other)


@dataclass(frozen=True)
class Order:
    """A column that puts the list in order; rows that are level go by their ids."""

    label: str
    keys: tuple[Key, ...]
    first_down: bool = False

    @property
    def whole(self) -> tuple[Key, ...]:
        return (*self.keys, Key(F("pk"), int))


@dataclass(frozen=True)
class List:
    """What a list can be asked for. `usual` is the order it has by itself, with a minus for downwards."""

    place: str
    noun: str
    words: str
    having: Callable[[str], Q]
    filters: Mapping[str, Filter]
    orders: Mapping[str, Order]
    usual: str


@dataclass(frozen=True)
class Control:
    """A filter as the page asks for it."""

    name: str
    filter: Filter
    chosen: str

    @property
    def words(self) -> Mapping[str, str]:
        """What is offered, and what is chosen though it is not among it."""
        return {self.chosen: self.says, **self.filter.words} if self.chosen else self.filter.words

    @property
    def says(self) -> str:
        return self.filter.called(self.chosen) or self.chosen


@dataclass(frozen=True)
class Asked:
    """`chosen` has a value for each filter, "" where it is off."""

    of: List
    q: str
    chosen: Mapping[str, str]
    sort: str
    size: int

    @classmethod
    def read(cls, of: List, said: QueryDict) -> Self:
        """Take what makes sense."""
        sent = {name: _line(said.get(name, "")) for name in ("q", "sort", "size", *of.filters)}
        chosen = {name: "" if each.called(sent[name]) is None else sent[name] for name, each in of.filters.items()}
        sort = sent["sort"] if sent["sort"].removeprefix("-") in of.orders else of.usual
        return cls(of, sent["q"], chosen, sort, int(sent["size"]) if sent["size"] in map(str, SIZES) else SIZE)

    def query(self) -> str:
        """The query string that says the same, without what is usual."""
        said: dict[str, Any] = {"q": self.q, **self.chosen}
        said["sort"] = "" if self.sort == self.of.usual else self.sort
        said["size"] = "" if self.size == SIZE else self.size
        return urlencode({name: value for name, value in said.items() if value})

    def without(self, name: str) -> str:
        return replace(self, chosen={**self.chosen, name: ""}).query()

    @property
    def cleared(self) -> str:
        """The query string without any filter; order and size stay."""
        return replace(self, q="", chosen=dict.fromkeys(self.chosen, "")).query()

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or any(self.chosen.values()))

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.of.having(self.q) if self.q else Q()
        for name, value in self.chosen.items():
            asked &= self.of.filters[name].narrow(value)
        return rows.filter(asked)

    def found(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the rows that are asked for, in order."""
        return self.in_order(self.narrow(rows))

    def in_order(self, found: QuerySet[Any]) -> QuerySet[Any]:
        return found.order_by(*(OrderBy(key.by, descending=self._down) for key in self._order.whole))

    def page(self, found: QuerySet[Any], said: QueryDict) -> Turn:
        """Of those found, the ones after a mark that a page gave, or before one."""
        marks = said.get("after", ""), said.get("before", "")
        return turn(found, self._order.whole, self.size, *marks, down=self._down)

    @property
    def _order(self) -> Order:
        return self.of.orders[self.sort.removeprefix("-")]

    @property
    def _down(self) -> bool:
        return self.sort.startswith("-")

    @property
    def headings(self) -> dict[str, Heading]:
        labels = {name: order.label for name, order in self.of.orders.items()}
        down = [name for name, order in self.of.orders.items() if order.first_down]
        return headings(labels, self.sort, lambda sort: f"?{replace(self, sort=sort).query() or ALL}", down)

    @property
    def controls(self) -> list[Control]:
        return [Control(name, each, self.chosen[name]) for name, each in self.of.filters.items()]

    def chips(self) -> Iterator[Chip]:
        """One for each filter that is on."""
        if self.q:
            yield Chip("Search", self.q, replace(self, q="").query())
        for each in self.controls:
            if each.chosen:
                yield Chip(each.filter.label, each.says, self.without(each.name))


def _line(text: str) -> str:
    return text.replace("\0", "").strip()[:LONGEST]
