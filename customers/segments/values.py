"""Reading the value of a condition: of the right type and within bounds, or a sentence that says what is wrong."""

import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from customers.segments.fields import Column, Field
from customers.segments.operators import Takes
from retention.common.sent import whole

MAX_TEXT, MAX_LIST, MAX_DAYS, MAX_TIMES = 200, 100, 36_500, 1_000_000
MAX_NUMBER = 10**15


class BadValue(Exception):
    """What is wrong with a value, as a sentence for the person who gave it."""


def _nothing(value: Any, _field: Field) -> None:
    if value is not None:
        raise BadValue("takes no value")


def _text(value: Any, _field: Field) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadValue("must be a text")
    if len(value) > MAX_TEXT:
        raise BadValue(f"must have at most {MAX_TEXT} characters")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise BadValue("has a character that cannot be stored")
    return value


def _list(value: Any, read: Callable[[Any, Field], str], field: Field) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadValue("must be a list with at least one entry")
    if len(value) > MAX_LIST:
        raise BadValue(f"must have at most {MAX_LIST} entries")
    return tuple(read(entry, field) for entry in value)


def _number(value: Any, _field: Field) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadValue("must be a number")
    if abs(value) > MAX_NUMBER:
        raise BadValue("is too large a number")
    return Decimal(str(value))


def _whole(value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise BadValue(f"must be a whole number from 0 to {most:,}")
    return value


def _days(value: Any, _field: Field) -> int:
    return _whole(value, MAX_DAYS)


def _date(value: Any, _field: Field) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadValue("must be a date as YYYY-MM-DD") from error
    if not 1900 <= day.year <= 2200:
        raise BadValue("must be a date between 1900 and 2200")
    return day


def _choice(value: Any, field: Field) -> str:
    """One of the field's choices; the account managers, who come and go, are ids written as text."""
    choices = dict(field.choices) if isinstance(field, Column) else {}
    if not isinstance(value, str) or (value not in choices if choices else whole(value) is None):
        raise BadValue("is none of the choices")
    return value


def _segment(value: Any, _field: Field) -> int:
    return _whole(value, 2**63 - 1)


def _period(value: Any, word: str) -> int | None:
    """The days of `{word: …, "days": …}`; without days, ever."""
    if not isinstance(value, dict) or word not in value or not set(value) <= {word, "days"}:
        raise BadValue(f'must be {{"{word}": …, "days": …}}')
    return None if value.get("days") is None else _whole(value["days"], MAX_DAYS)


def _times(value: Any, _field: Field) -> tuple[Decimal, int | None]:
    """`{"times": n, "days": d}`: so often within so many days."""
    days = _period(value, "times")
    return Decimal(_whole(value["times"], MAX_TIMES)), days


def _total(value: Any, field: Field) -> tuple[Decimal, int | None]:
    """`{"total": x, "days": d}`: so much within so many days."""
    days = _period(value, "total")
    return _number(value["total"], field), days


READERS: dict[Takes, Callable[[Any, Field], Any]] = {
    Takes.NOTHING: _nothing,
    Takes.TEXT: _text,
    Takes.TEXTS: lambda value, field: _list(value, _text, field),
    Takes.NUMBER: _number,
    Takes.DAYS: _days,
    Takes.DATE: _date,
    Takes.CHOICE: _choice,
    Takes.CHOICES: lambda value, field: _list(value, _choice, field),
    Takes.SEGMENT: _segment,
    Takes.TIMES: _times,
    Takes.TOTAL: _total,
}
