"""What can be asked of instants and of days of the calendar.

A distance from now ("within the last 30 days") of an instant is in days of 24 hours. Everything else is asked of days,
which begin at midnight: in the workspace's zone or, where a rule says so, in each customer's own. A zone's days follow
its clocks, so that one in which they change has 23 hours or 25.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from customers.segments.days import PERIODS, Period, Span, coming_round
from customers.segments.operators import (
    DAY,
    KNOWN,
    UNKNOWN,
    Comparison,
    Crossed,
    Moment,
    Sql,
    Takes,
    between,
    join,
)
from customers.segments.zones import Turn, turn

#: From the value and today to the first day that will do and the first one after it that will not; None: no end.
Reach = Callable[[Any, date], tuple[date | None, date | None]]
#: Zones lie at most 26 hours apart.
_ZONES_APART = timedelta(hours=26)


def day_of(x: Sql, moment: Moment) -> Sql:
    """The day that an instant lies on, as SQL."""
    zone = moment.days_of
    return Sql(f"({x.text} AT TIME ZONE {zone.text})::date", (*x.params, *zone.params))


def _ranged(x: Sql, first: Any, end: Any) -> Sql:
    """From `first` on and before `end`, each only where there is one."""
    ends = [(">=", first), ("<", end)]
    tests = [Sql(f"{x.text} {sign} %s", (*x.params, given)) for sign, given in ends if given is not None]
    return join(tests, " AND ")


def _whatever_day_it_is(moment: Moment, test: Callable[[date], Sql]) -> Sql:
    """A test by today; where each customer has their own, it is one of three days."""
    if moment.local is None:
        return test(moment.today)
    here = moment.now.astimezone(UTC).date()
    cases = join((_when(day, test(day)) for day in (here - DAY, here, here + DAY)), " ")
    today = day_of(Sql("%s", (moment.now,)), moment)
    return Sql(f"CASE {today.text} {cases.text} END", (*today.params, *cases.params))


def _when(day: date, test: Sql) -> Sql:
    return Sql(f"WHEN %s THEN {test.text}", (day, *test.params))


def _on_instants(reach: Reach) -> Callable[[Sql, Any, Moment], Sql]:
    def test(x: Sql, value: Any, moment: Moment) -> Sql:
        if moment.local is None:
            return _ranged(x, *(day and moment.midnight(day) for day in reach(value, moment.today)))
        return _whatever_day_it_is(moment, lambda today: _ranged(day_of(x, moment), *reach(value, today)))

    return test


def _on_days(reach: Reach) -> Callable[[Sql, Any, Moment], Sql]:
    return lambda x, value, moment: _whatever_day_it_is(moment, lambda today: _ranged(x, *reach(value, today)))


def _past_edges(reach: Reach, of_days: bool) -> Crossed:
    """Crossed by whatever lies between where an edge was and where it is; nobody crosses within a day."""

    def crossed(x: Sql, value: Any, low: Moment, high: Moment) -> tuple[Sql, ...]:
        turned = turn(low, high)
        if turned is None:
            return ()
        return tuple(turned.only(_between_days(x, *edge, high, of_days)) for edge in _edges(reach, value, turned))

    return crossed


def _edges(reach: Reach, value: Any, turned: Turn) -> list[Span]:
    """The days that each edge has passed over, the first and the first after."""
    passed = []
    for edges in zip(*(reach(value, today) for today in turned.days), strict=True):
        days = [day for day in edges if day is not None]
        if days and min(days) < max(days):
            passed.append((min(days), max(days)))
    return passed


def _between_days(x: Sql, first: date, end: date, moment: Moment, of_days: bool) -> Sql:
    if of_days:
        return _ranged(x, first, end)
    margin = _ZONES_APART if moment.local else timedelta()
    return _ranged(x, moment.midnight(first) - margin, moment.midnight(end) + margin)


def _comparisons(of_days: bool) -> Callable[..., Comparison]:
    """How the comparisons with days are made for instants, or for days themselves."""
    test_of = _on_days if of_days else _on_instants

    def made(key: str, label: str, phrase: str, takes: Takes, reach: Reach) -> Comparison:
        return Comparison(key, label, takes, phrase, test_of(reach), _past_edges(reach, of_days), by_calendar=True)

    return made


def _periods(of_days: bool) -> tuple[Comparison, ...]:
    """Comparisons with days counted from today."""
    made = _comparisons(of_days)

    def of(period: Period) -> Comparison:
        reach: Reach = lambda _value, today: period.span(today)  # noqa: E731
        return made(f"is_{period.key}", f"is {period.label}", f"{{field}} is {period.label}", Takes.NOTHING, reach)

    return (
        *(of(period) for period in PERIODS),
        made(
            "on_last_days",
            "was on one of the last",
            "{field} was on one of the last {value}, today among them",
            Takes.DAYS,
            lambda days, today: (today - (days - 1) * DAY, today + DAY),
        ),
        made(
            "on_next_days",
            "is on one of the next",
            "{field} is on one of the next {value}, today among them",
            Takes.DAYS,
            lambda days, today: (today, today + days * DAY),
        ),
    )


def _fixed(of_days: bool) -> tuple[Comparison, ...]:
    """Comparisons with a day that somebody named."""
    made = _comparisons(of_days)
    return (
        made("before", "was before", "{field} was before {value}", Takes.DATE, lambda day, _today: (None, day)),
        made(
            "on_or_after",
            "was on or after",
            "{field} was on or after {value}",
            Takes.DATE,
            lambda day, _today: (day, None),
        ),
    )


#: From the value and today to the days on which an anniversary will do, the first of them and how many.
Ahead = Callable[[Any, date], tuple[date, int]]


def _rounds(of_days: bool) -> tuple[Comparison, ...]:
    """Comparisons with the day of the year."""

    def made(key: str, label: str, phrase: str, takes: Takes, ahead: Ahead) -> Comparison:
        test, crossed = _comes_round(ahead, of_days), _came_round(ahead, of_days)
        return Comparison(key, label, takes, phrase, test, crossed, by_calendar=True)

    by_key = {period.key: period for period in PERIODS}
    return (
        made(
            "anniversary_within",
            "comes round within",
            "{field} comes round within {value}",
            Takes.DAYS,
            lambda days, today: (today, days + 1),
        ),
        *(
            made(
                f"anniversary_{key}",
                f"comes round {by_key[key].label}",
                f"{{field}} comes round {by_key[key].label}",
                Takes.NOTHING,
                _all_of(by_key[key]),
            )
            for key in ("this_week", "this_month")
        ),
    )


def _all_of(period: Period) -> Ahead:
    def ahead(_value: Any, today: date) -> tuple[date, int]:
        first, end = period.span(today)
        return first, (end - first).days

    return ahead


def _comes_round(ahead: Ahead, of_days: bool) -> Callable[[Sql, Any, Moment], Sql]:
    """Its day of the year is one of those; what only happens on them or later has not come round yet."""

    def test(x: Sql, value: Any, moment: Moment) -> Sql:
        day = x if of_days else day_of(x, moment)

        def on(today: date) -> Sql:
            first, days = ahead(value, today)
            round_again = _day_of_the_year(day, coming_round(first, days))
            return join([Sql(f"{day.text} < %s", (*day.params, first)), round_again], " AND ")

        return _whatever_day_it_is(moment, on)

    return test


def _came_round(ahead: Ahead, of_days: bool) -> Crossed:
    """Whose day of the year began or ceased to be one of them, or which lies in the days passed over."""

    def crossed(x: Sql, value: Any, low: Moment, high: Moment) -> tuple[Sql, ...]:
        turned = turn(low, high)
        if turned is None:
            return ()
        spans = [ahead(value, today) for today in turned.days]
        firsts = [first for first, _ in spans]
        rounds = [frozenset(coming_round(*span)) for span in spans]
        changed = {day for each in rounds for day in each if not all(day in other for other in rounds)}
        day = x if of_days else day_of(x, high)
        tests = [_day_of_the_year(day, sorted(changed))]
        if min(firsts) < max(firsts):
            tests.append(_between_days(x, min(firsts), max(firsts), high, of_days))
        return tuple(turned.only(test) for test in tests)

    return crossed


def _day_of_the_year(day: Sql, wanted: list[int]) -> Sql:
    return Sql(f"to_char({day.text}, 'MMDD')::int = ANY(%s)", (*day.params, wanted))


def _distance(
    key: str, label: str, phrase: str, text: str, reach: Callable[[datetime, timedelta], tuple[datetime, ...]]
) -> Comparison:
    """An instant against instants so many times 24 hours from now."""

    def test(x: Sql, days: int, moment: Moment) -> Sql:
        return Sql(text.replace("{x}", x.text), (*x.params, *reach(moment.now, days * DAY)))

    def crossed(x: Sql, days: int, low: Moment, high: Moment) -> tuple[Sql, ...]:
        edges = zip(reach(low.now, days * DAY), reach(high.now, days * DAY), strict=True)
        return tuple(between(x, first, last) for first, last in edges)

    return Comparison(key, label, Takes.DAYS, phrase, test, crossed)


_AGO = ("more_than_days_ago", "was more than", "{field} was more than {value} ago")
_WITHIN = ("within_days", "was within the last", "{field} was within the last {value}")
_NEXT = ("in_next_days", "is in the next", "{field} is in the next {value}")
_AHEAD = ("more_than_days_ahead", "is more than … ahead", "{field} is more than {value} ahead")

#: Of instants.
DATE = (
    _distance(*_AGO, "{x} < %s", lambda now, days: (now - days,)),
    _distance(*_WITHIN, "{x} BETWEEN %s AND %s", lambda now, days: (now - days, now)),
    _distance(*_NEXT, "{x} BETWEEN %s AND %s", lambda now, days: (now, now + days)),
    _distance(*_AHEAD, "{x} > %s", lambda now, days: (now + days,)),
    *_periods(of_days=False),
    *_rounds(of_days=False),
    *_fixed(of_days=False),
    KNOWN,
    UNKNOWN,
)


def _days_apart(key: str, label: str, phrase: str, reach: Reach) -> Comparison:
    return _comparisons(of_days=True)(key, label, phrase, Takes.DAYS, reach)


#: Of days of the calendar. A distance counts whole days, today's midnight being the nearest.
DAY_OF_CALENDAR = (
    _days_apart(*_AGO, lambda days, today: (None, today - days * DAY)),
    _days_apart(*_WITHIN, lambda days, today: (today - days * DAY, today + DAY)),
    _days_apart(*_NEXT, lambda days, today: (today, today + (days + 1) * DAY)),
    _days_apart(*_AHEAD, lambda days, today: (today + (days + 1) * DAY, None)),
    *_periods(of_days=True),
    *_rounds(of_days=True),
    *_fixed(of_days=True),
    KNOWN,
    UNKNOWN,
)
