"""How rows to count or add up are written down, and what can be asked of each row."""

from collections.abc import Sequence

from customers.segments import for_dates, for_values
from customers.segments.fields import Choices, Column, Related, Tally
from customers.segments.operators import TIMES, TOTAL, Comparison, Sql

YES_NO: Choices = (("yes", "yes"), ("no", "no"))


def of_row(
    key: str, label: str, kind: Sequence[Comparison], sql: str, *, unit: str = "", choices: Choices = ()
) -> Column:
    """Something about each row; its SQL stands on `r`, the row, and on what its table joins."""
    return Column(key, label, "", kind, Sql(sql), "r", unit, choices)


def text(key: str, label: str, sql: str) -> Column:
    return of_row(key, label, for_values.TEXT, f"NULLIF({sql}, '')")


def number(key: str, label: str, sql: str, unit: str = "") -> Column:
    return of_row(key, label, for_values.NUMBER, sql, unit=unit)


def choice(key: str, label: str, sql: str, choices: Choices) -> Column:
    return of_row(key, label, for_values.OPTIONAL_CHOICE, f"NULLIF({sql}, '')", choices=choices)


def yes_no(key: str, label: str, sql: str) -> Column:
    return of_row(key, label, for_values.CHOICE[:1], f"CASE WHEN {sql} THEN 'yes' ELSE 'no' END", choices=YES_NO)


def person(key: str, label: str, sql: str) -> Column:
    """A colleague, by id."""
    return of_row(key, label, for_values.OPTIONAL_CHOICE, f"({sql})::text", unit="person")


def instant(key: str, label: str, sql: str) -> Column:
    return of_row(key, label, for_dates.DATE, sql, unit="instant")


def day(key: str, label: str, sql: str) -> Column:
    return of_row(key, label, for_dates.DAY_OF_CALENDAR, sql, unit="day")


def count(key: str, label: str, group: str, related: Related, each: str = "*") -> Tally:
    """How many rows there are, or how many different ones by `each`, as "DISTINCT l.sku"."""
    return Tally(key, label, group, TIMES, related, each=each)


def total(key: str, label: str, group: str, related: Related, sql: str, unit: str = "") -> Tally:
    """What the rows add up to."""
    return Tally(key, label, group, TOTAL, related, sql, unit)
