"""Calendar days: the periods a date can lie in, and the days on which something comes round again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)
Span = tuple[date, date]


@dataclass(frozen=True)
class Period:
    """A period that today lies in or beside; `span` gives its first day and the first day after it."""

    key: str
    label: str
    span: Callable[[date], Span]


def _today(today: date) -> Span:
    return today, today + _DAY


def _this_week(today: date) -> Span:
    monday = today - today.weekday() * _DAY
    return monday, monday + 7 * _DAY


def _yesterday(today: date) -> Span:
    return today - _DAY, today


def _tomorrow(today: date) -> Span:
    return today + _DAY, today + 2 * _DAY


def _last_week(today: date) -> Span:
    monday = _this_week(today)[0]
    return monday - 7 * _DAY, monday


def _next_week(today: date) -> Span:
    monday = _this_week(today)[1]
    return monday, monday + 7 * _DAY


def _this_month(today: date) -> Span:
    first = today.replace(day=1)
    return first, (first + 31 * _DAY).replace(day=1)


def _last_month(today: date) -> Span:
    first = today.replace(day=1)
    return (first - _DAY).replace(day=1), first


def _next_month(today: date) -> Span:
    first = _this_month(today)[1]
    return first, _this_month(first)[1]


def _this_year(today: date) -> Span:
    return today.replace(month=1, day=1), date(today.year + 1, 1, 1)


PERIODS = (
    Period("today", "today", _today),
    Period("yesterday", "yesterday", _yesterday),
    Period("tomorrow", "tomorrow", _tomorrow),
    Period("this_week", "this week", _this_week),
    Period("last_week", "last week", _last_week),
    Period("next_week", "next week", _next_week),
    Period("this_month", "this month", _this_month),
    Period("last_month", "last month", _last_month),
    Period("next_month", "next month", _next_month),
    Period("this_year", "this year", _this_year),
)


def coming_round(first: date, days: int) -> list[int]:
    """What anniversaries fall on so many days from the first on: each as 100 · month + day.

    In a year without 29 February, what happened on one comes round on the 28th.
    """
    found = set()
    for number in range(min(days, 367)):
        day = first + number * _DAY
        found.add(100 * day.month + day.day)
        if (day.month, day.day) == (2, 28) and (day + _DAY).month == 3:
            found.add(229)
    return sorted(found)
