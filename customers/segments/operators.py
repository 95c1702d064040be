"""Operators: what can be asked of a field, which values that takes, and the SQL that asks it.

An operator's SQL is made of constants; what a person typed is only ever a parameter of it. Those of texts, numbers and
choices are in `for_values`, of dates in `for_dates`, of what stands in JSON under any key in `for_attributes`.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import Enum, StrEnum
from typing import Any

DAY = timedelta(days=1)


class Bound(Enum):
    """Stands among a column's parameters for what is known only when a rule is evaluated."""

    NOW = "now"
    ZONE = "zone"


@dataclass(frozen=True)
class Sql:
    """A piece of SQL, with `%s` for each of its parameters."""

    text: str
    params: tuple[Any, ...] = ()


def listed(ids: Iterable[int]) -> str:
    """Ids as the text of an array, for `%s::bigint[]`: the driver takes several times as long, wherever it stands."""
    return f"{{{','.join(map(str, ids))}}}"


@dataclass(frozen=True)
class Moment:
    """The instant a rule is evaluated at, and the workspace's zone, in which dates begin at midnight.

    `local`: the zone of the customer at hand as SQL, where their own days count and not the workspace's.
    """

    now: datetime
    zone: tzinfo
    local: Sql | None = None

    @property
    def today(self) -> date:
        return self.today_in(self.zone)

    def today_in(self, zone: tzinfo) -> date:
        return self.now.astimezone(zone).date()

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)

    @property
    def days_of(self) -> Sql:
        """The zone whose days count, as SQL."""
        return self.local or Sql("%s", (str(self.zone),))


def join(parts: Iterable[Sql], word: str) -> Sql:
    parts = list(parts)
    return Sql(word.join(part.text for part in parts), tuple(param for part in parts for param in part.params))


def bound(sql: Sql, moment: Moment) -> Sql:
    """The piece with the moment's own instant and zone for whatever stands for them."""
    values = {Bound.NOW: moment.now, Bound.ZONE: str(moment.zone)}
    return Sql(sql.text, tuple(values[each] if isinstance(each, Bound) else each for each in sql.params))


def between(x: Sql, low: datetime, high: datetime) -> Sql:
    return Sql(f"{x.text} BETWEEN %s AND %s", (*x.params, low, high))


class Takes(StrEnum):
    """The kinds of value; `values.READERS` reads each, and the builder has a widget for each."""

    NOTHING = "nothing"
    TEXT = "text"
    TEXTS = "texts"
    NUMBER = "number"
    DAYS = "days"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    SEGMENT = "segment"
    TIMES = "times"
    TOTAL = "total"


@dataclass(frozen=True)
class Operator:
    """`phrase` says a condition in words, from the field's label and the value's."""

    key: str
    label: str
    takes: Takes
    phrase: str


Test = Callable[[Sql, Any, Moment], Sql]
#: From a column, the value, an earlier and a later moment to tests of the column.
Crossed = Callable[[Sql, Any, Moment, Moment], tuple[Sql, ...]]


@dataclass(frozen=True)
class Comparison(Operator):
    """An operator on a column: `test` gets the column's SQL and the value. NULL counts as no.

    `crossed` says which values of the column time alone may have taken across between two moments: whoever meets one
    of its tests is looked at again. `by_calendar`: it counts in days, which begin at a midnight: the workspace's, or
    the customer's own where a rule says so.
    """

    test: Test
    crossed: Crossed = lambda _x, _value, _low, _high: ()
    by_calendar: bool = False


def template(text: str) -> Test:
    """A test from SQL in which `{x}` is the column, and each `%s` after it is the value."""
    before, after = text.split("{x}")

    def test(x: Sql, value: Any, _moment: Moment) -> Sql:
        return Sql(before + x.text + after, x.params + (value,) * after.count("%s"))

    return test


KNOWN = Comparison("is_known", "is known", Takes.NOTHING, "{field} is known", template("{x} IS NOT NULL"))
UNKNOWN = Comparison("is_unknown", "is not known", Takes.NOTHING, "{field} is not known", template("{x} IS NULL"))


@dataclass(frozen=True)
class Amount(Operator):
    """An operator on a count or a sum of related rows. `sql` compares; `holds` does for customers without any."""

    sql: str
    holds: Callable[[Any, Any], bool]


def _amounts(takes: Takes) -> tuple[Amount, ...]:
    return (
        Amount("at_least", "at least", takes, "{field} at least {value}", ">=", operator.ge),
        Amount("at_most", "at most", takes, "{field} at most {value}", "<=", operator.le),
        Amount("exactly", "exactly", takes, "{field} exactly {value}", "=", operator.eq),
    )


TIMES, TOTAL = _amounts(Takes.TIMES), _amounts(Takes.TOTAL)
MEMBERSHIP = (
    Operator("is_in", "is in", Takes.SEGMENT, "Is in {value}"),
    Operator("is_not_in", "is not in", Takes.SEGMENT, "Is not in {value}"),
)
