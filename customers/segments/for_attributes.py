"""What can be asked of a value in JSON under any key: it is a text, which may say a number, a day, yes or no.

A value that does not say what is asked about is not known to that comparison, and so does not meet it.
"""

from collections.abc import Callable
from dataclasses import replace

from customers.segments.for_dates import DAY_OF_CALENDAR
from customers.segments.for_values import COMPARISONS, TEXT
from customers.segments.operators import KNOWN, UNKNOWN, Comparison, Moment, Sql, Takes, template

_NUMBER = r"^-?[0-9]{1,30}(\.[0-9]{1,30})?$"
_DAY, _INSTANT = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:"


def _as_number(x: Sql, _moment: Moment) -> Sql:
    """The text as a number, or NULL. The length is bounded so that the cast cannot overflow."""
    return Sql(f"CASE WHEN {x.text} ~ '{_NUMBER}' THEN ({x.text})::numeric END", x.params * 2)


def _as_day(x: Sql, moment: Moment) -> Sql:
    """The day that a text says: as YYYY-MM-DD, or as an instant, which lies on a day of the zone that counts.

    An instant that names no zone is UTC.
    """
    zone = moment.days_of
    return Sql(
        f"""CASE WHEN {x.text} ~ '{_DAY}' AND pg_input_is_valid({x.text}, 'date') THEN ({x.text})::date
            WHEN {x.text} ~ '{_INSTANT}' AND pg_input_is_valid({x.text}, 'timestamptz')
            THEN (({x.text})::timestamptz AT TIME ZONE {zone.text})::date END""",
        (*x.params * 6, *zone.params),
    )


def _read_as(reading: Callable[[Sql, Moment], Sql], comparison: Comparison) -> Comparison:
    test, crossed = comparison.test, comparison.crossed
    return replace(
        comparison,
        test=lambda x, value, moment: test(reading(x, moment), value, moment),
        crossed=lambda x, value, low, high: crossed(reading(x, high), value, low, high),
    )


_YES = Comparison("is_yes", "is yes", Takes.NOTHING, "{field} is yes", template("lower({x}) IN ('true', 'yes')"))
_NO = Comparison("is_no", "is no", Takes.NOTHING, "{field} is no", template("lower({x}) IN ('false', 'no')"))

ATTRIBUTE = (
    *TEXT[:-2],
    *(_read_as(_as_number, comparison) for comparison in COMPARISONS),
    _YES,
    _NO,
    *(_read_as(_as_day, comparison) for comparison in DAY_OF_CALENDAR[:-2]),
    KNOWN,
    UNKNOWN,
)
