"""Operators: what can be asked of a field, which values that takes, and the SQL that asks it.

An operator's SQL is made of constants; what a person typed is only ever a parameter of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Moment:
    """The instant a rule is evaluated at, and the workspace's zone, in which dates begin at midnight."""

    now: datetime
    zone: tzinfo


@dataclass(frozen=True)
class Sql:
    """A piece of SQL, with `%s` for each of its parameters."""

    text: str
    params: tuple[Any, ...] = ()


def join(parts: Iterable[Sql], word: str) -> Sql:
    parts = list(parts)
    return Sql(word.join(part.text for part in parts), tuple(param for part in parts for param in part.params))


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


@dataclass(frozen=True)
class Operator:
    """`phrase` says a condition in words, from the field's label and the value's."""

    key: str
    label: str
    takes: Takes
    phrase: str


@dataclass(frozen=True)
class Comparison(Operator):
    """An operator on a column: `test` gets the column's SQL and the value. NULL counts as no.

    `edges`: the distances from now at which time alone takes a customer across: it does so to those whose column
    lies that far from now. `by_day`: the column is a day of the calendar, and only midnight takes anybody across.
    """

    test: Callable[[Sql, Any, Moment], Sql]
    edges: Callable[[Any], tuple[timedelta, ...]] = lambda _value: ()
    by_day: bool = False


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
        lambda days: (-days * DAY,),
    ),
    Comparison(
        "within_days",
        "was within the last",
        Takes.DAYS,
        "{field} was within the last {value}",
        _days("{x} BETWEEN %s AND %s", lambda now, days: (now - days, now)),
        lambda days: (-days * DAY, timedelta()),
    ),
    Comparison(
        "in_next_days",
        "is in the next",
        Takes.DAYS,
        "{field} is in the next {value}",
        _days("{x} BETWEEN %s AND %s", lambda now, days: (now, now + days)),
        lambda days: (timedelta(), days * DAY),
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


def _today(moment: Moment) -> date:
    return moment.now.astimezone(moment.zone).date()


def _by_day(
    key: str, label: str, phrase: str, template: str, reach: Callable[[date, timedelta], tuple[date, ...]], edge: int
) -> Comparison:
    """A day against days so many from today in the workspace's zone; `edge` is the side of today on which it turns."""

    def test(x: Sql, days: int, moment: Moment) -> Sql:
        return Sql(template.replace("{x}", x.text), (*x.params, *reach(_today(moment), days * DAY)))

    return Comparison(key, label, Takes.DAYS, phrase, test, lambda days: (timedelta(), edge * days * DAY), by_day=True)


DAY_OF_CALENDAR = (
    _by_day(
        "more_than_days_ago",
        "was more than",
        "{field} was more than {value} ago",
        "{x} < %s",
        lambda today, days: (today - days,),
        -1,
    ),
    _by_day(
        "within_days",
        "was within the last",
        "{field} was within the last {value}",
        "{x} BETWEEN %s AND %s",
        lambda today, days: (today - days, today),
        -1,
    ),
    _by_day(
        "in_next_days",
        "is in the next",
        "{field} is in the next {value}",
        "{x} BETWEEN %s AND %s",
        lambda today, days: (today, today + days),
        1,
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

TIMES = (
    Operator("at_least", "at least", Takes.TIMES, "{field} at least {value}"),
    Operator("at_most", "at most", Takes.TIMES, "{field} at most {value}"),
)
MEMBERSHIP = (
    Operator("is_in", "is in", Takes.SEGMENT, "Is in {value}"),
    Operator("is_not_in", "is not in", Takes.SEGMENT, "Is not in {value}"),
)
