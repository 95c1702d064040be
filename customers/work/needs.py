"""What calls for somebody before anybody wrote a task for it: each room tells Today what it knows.

A room adds a kind with one function in its `needing.py`, which its app's `needing.py` imports:

    def _said(line: Line) -> str:
        return f"“{line.about['title']}” was to be reached by {day_text(line.at)}."

    def _place(line: Line) -> str:
        return page_of("customers:plan", line.about["plan"])

    @need("milestone", "Milestone slipping", "Agree a new date", said=_said, place=_place)
    def slipping(moment: Whenever) -> Lines:
        told = Told(
            customer="plan__customer_id",
            ref="pk",
            key="pk",
            at=DayBegins("due_on", moment),
            urgency=Nearing(DayBegins("due_on", moment), moment),
            about={"title": F("title"), "plan": F("plan_id")},
        )
        return told.of(Milestone.objects.filter(done_at=None, due_on__lt=moment.day_in(7)))

Today puts all kinds into one list, by urgency and then by the money at stake × urgency; see `attention`. To act on a
line makes a task of it with the origin "kind:key", and from then on the line is silent for that customer and key.
The queryset becomes a part of one statement, which is compiled once: the room does not slice, order or read it, and
what it takes of the moment stands for whichever moment it will be.

Urgency is a number: from 10 on it is for now, from 3 on for this week, below that it is coming up.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    DecimalField,
    F,
    FloatField,
    Func,
    IntegerField,
    JSONField,
    Q,
    QuerySet,
    Value,
)
from django.db.models.expressions import Combinable, OrderBy

from customers.models import Customer
from customers.work.moments import Whenever
from retention.workspace.models import User

NOW, THIS_WEEK = 10.0, 3.0


class Nearing(Func):
    """How urgent a deadline is, to be given the deadline and the moment.

    Today or earlier: 10, and one more for each day it is late, up to 20. Within the week: 10 less the days left, so 9
    to 3. Later: 21 over the days left, so 3 after a week and 0.35 after two months. It falls without a leap.
    """

    template = (
        "(SELECT CASE WHEN days <= 0 THEN 10 + least(10, -days) WHEN days <= 7 THEN 10 - days ELSE 21 / days END"
        " FROM (SELECT date_part('epoch', %(expressions)s) / 86400 AS days) AS span)"
    )
    arg_joiner = " - "
    output_field = FloatField()

    def __init__(self, deadline: str | Combinable, moment: Whenever) -> None:
        super().__init__(deadline, moment.tomorrow)


class DayBegins(Func):
    """The instant at which a date begins in the workspace's zone: cast without it, it would begin in UTC."""

    template = "(%(expressions)s)"
    arg_joiner = "::timestamp AT TIME ZONE "
    output_field = DateTimeField()

    def __init__(self, day: str | Combinable, moment: Whenever) -> None:
        super().__init__(day, moment.zone)


class About(Func):
    """What a line is said with, as a row: to write it as JSON is left to the few lines that are shown."""

    function = "ROW"
    output_field = JSONField()

    def __init__(self, **about: Any) -> None:
        super().__init__(*about.values())
        self.names = tuple(about)


#: A queryset that `Told.of` has made.
Lines: TypeAlias = "QuerySet[Any, dict[str, Any]]"


_NO_AMOUNT = Value(None, output_field=DecimalField())
_NO_TEXT = Value(None, output_field=CharField())
_NO_NUMBER = Value(None, output_field=IntegerField())


@dataclass(frozen=True)
class Told:
    """What of a row makes its line, by names of fields or by expressions.

    `ref` is the number by which the page names the line: of the row it is about, or the customer's where they have one
    line of the kind. `key` is a number or text that tells this need from the customer's earlier ones of the kind; `at`
    the instant it is about, of a day `DayBegins`; `about` what its reason is said with. `money` is what is at stake in
    a year, and its currency: without it, a year of the customer's MRR or what they ordered in the last one. `person`
    whose it is: without it, or where it is empty, the customer's owner's.
    """

    customer: str
    ref: str | Combinable
    key: str | Combinable
    at: str | Combinable
    urgency: Combinable
    about: dict[str, Any] = field(default_factory=dict)
    money: tuple[str | Combinable, str | Combinable] = (_NO_AMOUNT, _NO_TEXT)
    person: str | Combinable = _NO_NUMBER

    def of(self, rows: "QuerySet[Any]") -> Lines:
        columns = {
            "need_customer": F(self.customer),
            "need_ref": _expression(self.ref),
            "need_key": _expression(self.key),
            "need_at": _expression(self.at),
            "need_urgency": self.urgency,
            "need_money": _expression(self.money[0]),
            "need_currency": _expression(self.money[1]),
            "need_person": _expression(self.person),
            "need_about": About(**self.about),
        }
        found: Lines = rows.order_by().annotate(**columns).values(*columns)
        return found


def _expression(told: str | Combinable) -> Any:
    return F(told) if isinstance(told, str) else told


@dataclass(frozen=True)
class Line:
    """A line as it is read back: `origin` is the one of the task that acting on it makes, `at` an instant."""

    kind: str
    ref: int
    customer_id: int
    origin: str
    at: datetime
    urgency: float
    about: dict[str, Any]
    money: Decimal | None
    currency: str
    person: int | None


@dataclass(frozen=True)
class First:
    """An order of rows, by a column or expression with an index, and which rows that is the order of.

    `pressing` leaves those that may be for now: by the same index, so that no others are read where only these count.
    """

    order: OrderBy
    where: Q = field(default_factory=Q)
    pressing: Q = field(default_factory=Q)


@dataclass(frozen=True, eq=False)
class Source:
    """A kind of need: what it is called, what to do about it, how its reason is said, where it is dealt with."""

    kind: str
    label: str
    action: str
    rows: Callable[[Whenever], Lines]
    said: Callable[[Line], str]
    place: Callable[[Line], str]
    yields: bool
    done: Callable[[str, User], None] | None
    undone: Callable[[int, User], Customer] | None
    first: tuple[First, ...]


class Overtaken(Exception):
    """It has been dealt with meanwhile. For `done` and `undone` to raise."""


def calm(urgency: Any) -> bool:
    """Whether it is one of a few numbers, none of which is for now."""
    if isinstance(urgency, Case):
        return all(calm(each) for each in (urgency.default, *(case.result for case in urgency.cases)))
    return isinstance(urgency, Value) and urgency.value < NOW


def nowhere(_: Line) -> str:
    """The customer's page, to which each line leads anyway, is all there is."""
    return ""


Rows: TypeAlias = Callable[[Whenever], Lines]
SOURCES: dict[str, Source] = {}


def need(
    kind: str,
    label: str,
    action: str,
    *,
    said: Callable[[Line], str],
    place: Callable[[Line], str] = nowhere,
    yields: bool = False,
    done: Callable[[str, User], None] | None = None,
    undone: Callable[[int, User], Customer] | None = None,
    first: tuple[First, ...] = (),
) -> Callable[[Rows], Rows]:
    """Register what finds needs of a kind (small letters and underscores).

    `action` is what to do, and becomes the task's title; `said` gives the reason as a sentence; `place` the address
    where it is dealt with. A kind that `yields` is about the customer as a whole: of all such lines of a
    customer the most urgent alone is shown, and none while somebody has an open task for them (one that is due before
    `at`, where that is yet to come). `done`, given the key and the person, does what is to be done where that is more
    than to note it; without it, a line that was done is silent until it has another key. `undone`, given the `ref` that
    the key begins with and the person, takes that back and says whose it is.
    A kind of which a large company has very many says which come `first`: lists of more than one person's then have no
    more than the first so many, of each order where it takes several to have the most urgent.
    """

    def register(rows: Rows) -> Rows:
        SOURCES[kind] = Source(kind, label, action, rows, said, place, yields, done, undone, first)
        return rows

    return register
