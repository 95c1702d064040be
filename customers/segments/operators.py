"""Operators: what can be asked of a field, which values that takes, and the SQL that asks it.

An operator's SQL is made of constants; what a person typed is only ever a parameter of it.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import Enum, StrEnum
from typing import Any

from customers.segments.days import PERIODS, Period, coming_round

DAY = timedelta(days=1)


class Bound(Enum):
    """Stands among a column's parameters for what is known only when a rule is evaluated."""

    NOW = "now"
    ZONE = "zone"


@dataclass(frozen=True)
class Moment:
    """The instant a rule is evaluated at, and the workspace's zone, in which dates begin at midnight."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


@dataclass(frozen=True)
class Sql:
    """A piece of SQL, with `%s` for each of its parameters."""

    text: str
    params: tuple[Any, ...] = ()


def join(parts: Iterable[Sql], word: str) -> Sql:
    parts = list(parts)
    return Sql(word.join(part.text for part in parts), tuple(param for part in parts for param in part.params))


def bound(sql: Sql, moment: Moment) -> Sql:
    """The piece with the moment's own instant and zone for whatever stands for them."""
    values = {Bound.NOW: moment.now, Bound.ZONE: str(moment.zone)}
    return Sql(sql.text, tuple(values[each] if isinstance(each, Bound) else each for each in sql.params))


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


#: From a column, the value, an earlier and a later moment to tests of the column.
Crossed = Callable[[Sql, Any, Moment, Moment], tuple[Sql, ...]]


@dataclass(frozen=True)
class Comparison(Operator):
    """An operator on a column: `test` gets the column's SQL and the value. NULL counts as no.

    `crossed` says which values of the column time alone may have taken across between two moments: whoever meets one
    of its tests is looked at again.
    """

    test: Callable[[Sql, Any, Moment], Sql]
    crossed: Crossed = lambda _x, _value, _low, _high: ()


def _template(template: str) -> Callable[[Sql, Any, Moment], Sql]:
    """A test from SQL in which `{x}` is the column, and each `%s` after it is the value."""
    before, after = template.split("{x}")

    def test(x: Sql, value: Any, _moment: Moment) -> Sql:
        return Sql(before + x.text + after, x.params + (value,) * after.count("%s"))

    return test


def _midnight(day: date, moment: Moment) -> datetime:
    return datetime.combine(day, time(), moment.zone)


def _days(template: str, reach: Callable[[datetime, timedelta], tuple[datetime, ...]]) -> Callable[..., Sql]:
    """A test of an instant against instants so many days from now."""
    return lambda x, days, moment: Sql(template.replace("{x}", x.text), (*x.params, *reach(moment.now, days * DAY)))


def _passing(offsets: Callable[[Any], tuple[timedelta, ...]]) -> Crossed:
    """Crossed where the column lies at one of these distances from now."""

    def crossed(x: Sql, value: Any, low: Moment, high: Moment) -> tuple[Sql, ...]:
        return tuple(between(x, low.now + offset, high.now + offset) for offset in offsets(value))

    return crossed


def between(x: Sql, low: datetime, high: datetime) -> Sql:
    return Sql(f"{x.text} BETWEEN %s AND %s", (*x.params, low, high))


def _in_period(period: Period) -> Comparison:
    """Whether an instant lies in a period of the calendar; nobody crosses while the period stays the same."""

    def ends(moment: Moment) -> tuple[datetime, ...]:
        return tuple(_midnight(day, moment) for day in period.span(moment.today))

    def test(x: Sql, _value: Any, moment: Moment) -> Sql:
        return Sql(f"{x.text} >= %s AND {x.text} < %s", _twice(x, *ends(moment)))

    def crossed(x: Sql, _value: Any, low: Moment, high: Moment) -> tuple[Sql, ...]:
        before, after = ends(low), ends(high)
        return () if before == after else (between(x, before[0], before[1]), between(x, after[0], after[1]))

    return Comparison(
        f"is_{period.key}", f"is {period.label}", Takes.NOTHING, f"{{field}} is {period.label}", test, crossed
    )


def _twice(x: Sql, first: Any, second: Any) -> tuple[Any, ...]:
    return (*x.params, first, *x.params, second)


def _comes_round(x: Sql, days: int, moment: Moment) -> Sql:
    """Its day of the year is one of those ahead; what was today or is still to come has not come round yet."""
    ahead = coming_round(moment.today, days)
    return Sql(
        f"{x.text} < %s AND to_char({x.text} AT TIME ZONE %s, 'MMDD')::int = ANY(%s)",
        (*x.params, _midnight(moment.today, moment), *x.params, str(moment.zone), ahead),
    )


def _came_round(x: Sql, days: int, low: Moment, high: Moment) -> tuple[Sql, ...]:
    """Nobody crosses within a day."""
    if low.today == high.today:
        return ()
    changed = set(coming_round(low.today, days)) ^ set(coming_round(high.today, days))
    lately = between(x, _midnight(low.today, low), _midnight(high.today, high))
    round_again = f"to_char({x.text} AT TIME ZONE %s, 'MMDD')::int = ANY(%s)"
    return lately, Sql(round_again, (*x.params, str(low.zone), sorted(changed)))


KNOWN = Comparison("is_known", "is known", Takes.NOTHING, "{field} is known", _template("{x} IS NOT NULL"))
UNKNOWN = Comparison("is_unknown", "is not known", Takes.NOTHING, "{field} is not known", _template("{x} IS NULL"))

TEXT = (
    Comparison("is", "is", Takes.TEXT, "{field} is {value}", _template("lower({x}) = lower(%s)")),
    Comparison(
        "is_not", "is not", Takes.TEXT, "{field} is not {value}", _template("lower({x}) IS DISTINCT FROM lower(%s)")
    ),
    Comparison(
        "is_any_of",
        "is any of",
        Takes.TEXTS,
        "{field} is {value}",
        lambda x, texts, _moment: Sql(f"lower({x.text}) = ANY(%s)", (*x.params, [text.lower() for text in texts])),
    ),
    Comparison(
        "contains", "contains", Takes.TEXT, "{field} contains {value}", _template("strpos(lower({x}), lower(%s)) > 0")
    ),
    Comparison(
        "starts_with",
        "starts with",
        Takes.TEXT,
        "{field} starts with {value}",
        _template("starts_with(lower({x}), lower(%s))"),
    ),
    KNOWN,
    UNKNOWN,
)
#: Where one of several texts will do: "is not" of some would be said of nearly all.
ANY_TEXT = tuple(comparison for comparison in TEXT if comparison.key not in ("is_not", "is_known", "is_unknown"))
COMPARISONS = (
    Comparison("at_least", "is at least", Takes.NUMBER, "{field} is at least {value}", _template("{x} >= %s")),
    Comparison("at_most", "is at most", Takes.NUMBER, "{field} is at most {value}", _template("{x} <= %s")),
    Comparison("more_than", "is more than", Takes.NUMBER, "{field} is more than {value}", _template("{x} > %s")),
    Comparison("less_than", "is less than", Takes.NUMBER, "{field} is less than {value}", _template("{x} < %s")),
)
NUMBER = (
    *COMPARISONS,
    Comparison("equals", "is exactly", Takes.NUMBER, "{field} is exactly {value}", _template("{x} = %s")),
    KNOWN,
    UNKNOWN,
)
DATE = (
    Comparison(
        "more_than_days_ago",
        "was more than",
        Takes.DAYS,
        "{field} was more than {value} ago",
        _days("{x} < %s", lambda now, days: (now - days,)),
        _passing(lambda days: (-days * DAY,)),
    ),
    Comparison(
        "within_days",
        "was within the last",
        Takes.DAYS,
        "{field} was within the last {value}",
        _days("{x} BETWEEN %s AND %s", lambda now, days: (now - days, now)),
        _passing(lambda days: (-days * DAY, timedelta())),
    ),
    Comparison(
        "in_next_days",
        "is in the next",
        Takes.DAYS,
        "{field} is in the next {value}",
        _days("{x} BETWEEN %s AND %s", lambda now, days: (now, now + days)),
        _passing(lambda days: (timedelta(), days * DAY)),
    ),
    Comparison(
        "more_than_days_ahead",
        "is more than … ahead",
        Takes.DAYS,
        "{field} is more than {value} ahead",
        _days("{x} > %s", lambda now, days: (now + days,)),
        _passing(lambda days: (days * DAY,)),
    ),
    *(_in_period(period) for period in PERIODS),
    Comparison(
        "anniversary_within",
        "recurs in",
        Takes.DAYS,
        "{field} comes round within {value}",
        _comes_round,
        _came_round,
    ),
    Comparison(
        "before",
        "was before",
        Takes.DATE,
        "{field} was before {value}",
        lambda x, day, moment: Sql(f"{x.text} < %s", (*x.params, _midnight(day, moment))),
    ),
    Comparison(
        "on_or_after",
        "was on or after",
        Takes.DATE,
        "{field} was on or after {value}",
        lambda x, day, moment: Sql(f"{x.text} >= %s", (*x.params, _midnight(day, moment))),
    ),
    KNOWN,
    UNKNOWN,
)


def _by_day(
    key: str, label: str, phrase: str, template: str, reach: Callable[[date, timedelta], tuple[date, ...]]
) -> Comparison:
    """A day against days so many from today in the workspace's zone; only midnight takes anybody across."""

    def test(x: Sql, days: int, moment: Moment) -> Sql:
        return Sql(template.replace("{x}", x.text), (*x.params, *reach(moment.today, days * DAY)))

    def crossed(x: Sql, days: int, low: Moment, high: Moment) -> tuple[Sql, ...]:
        """The days at an edge, a day to either side."""
        if low.today == high.today:
            return ()
        edges = zip(reach(low.today, days * DAY), reach(high.today, days * DAY), strict=True)
        return tuple(Sql(f"{x.text} BETWEEN %s AND %s", (*x.params, first - DAY, last + DAY)) for first, last in edges)

    return Comparison(key, label, Takes.DAYS, phrase, test, crossed)


DAY_OF_CALENDAR = (
    _by_day(
        "more_than_days_ago",
        "was more than",
        "{field} was more than {value} ago",
        "{x} < %s",
        lambda today, days: (today - days,),
    ),
    _by_day(
        "within_days",
        "was within the last",
        "{field} was within the last {value}",
        "{x} BETWEEN %s AND %s",
        lambda today, days: (today - days, today),
    ),
    _by_day(
        "in_next_days",
        "is in the next",
        "{field} is in the next {value}",
        "{x} BETWEEN %s AND %s",
        lambda today, days: (today, today + days),
    ),
    Comparison("before", "was before", Takes.DATE, "{field} was before {value}", _template("{x} < %s")),
    Comparison("on_or_after", "was on or after", Takes.DATE, "{field} was on or after {value}", _template("{x} >= %s")),
    KNOWN,
    UNKNOWN,
)
CHOICE = (
    Comparison("is", "is", Takes.CHOICE, "{field} is {value}", _template("{x} = %s")),
    Comparison("is_not", "is not", Takes.CHOICE, "{field} is not {value}", _template("{x} IS DISTINCT FROM %s")),
    Comparison(
        "is_any_of",
        "is any of",
        Takes.CHOICES,
        "{field} is {value}",
        lambda x, values, _moment: Sql(f"{x.text} = ANY(%s)", (*x.params, list(values))),
    ),
)
OPTIONAL_CHOICE = (*CHOICE, KNOWN, UNKNOWN)
TAGS = (
    Comparison("has", "include", Takes.TEXT, "{field} include {value}", _template("{x} @> ARRAY[%s]::varchar[]")),
    Comparison(
        "has_not",
        "do not include",
        Takes.TEXT,
        "{field} do not include {value}",
        _template("NOT {x} @> ARRAY[%s]::varchar[]"),
    ),
)
SEVERAL = (
    Comparison("has", "include", Takes.CHOICE, "{field} include {value}", _template("{x} @> to_jsonb(%s::text)")),
    Comparison(
        "has_not",
        "do not include",
        Takes.CHOICE,
        "{field} do not include {value}",
        _template("({x} @> to_jsonb(%s::text)) IS NOT TRUE"),
    ),
    Comparison(
        "has_any_of",
        "include any of",
        Takes.CHOICES,
        "{field} include {value}",
        lambda x, values, _moment: Sql(f"{x.text} ?| %s", (*x.params, list(values))),
    ),
    KNOWN,
    UNKNOWN,
)


def _as_number(x: Sql) -> Sql:
    """A custom attribute's text as a number, or NULL. The length is bounded so that the cast cannot overflow."""
    pattern = r"^-?[0-9]{1,30}(\.[0-9]{1,30})?$"
    return Sql(f"CASE WHEN {x.text} ~ '{pattern}' THEN ({x.text})::numeric END", x.params * 2)


def _of_number(comparison: Comparison) -> Comparison:
    test = comparison.test
    return Comparison(
        comparison.key,
        comparison.label,
        comparison.takes,
        comparison.phrase,
        lambda x, value, moment: test(_as_number(x), value, moment),
    )


#: Custom attributes hold texts and numbers; a number written as text counts as one.
ATTRIBUTE = (*TEXT[:-2], *(_of_number(comparison) for comparison in COMPARISONS), KNOWN, UNKNOWN)


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
