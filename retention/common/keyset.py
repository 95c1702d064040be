"""Paging by the last row shown: PostgreSQL compares whole rows, by an index that leads with the same parts."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import F, Func, IntegerField, QuerySet, Value
from django.db.models.expressions import Expression
from django.db.models.lookups import GreaterThan, LessThan


class _Row(Func):
    """(a, b)."""

    template = "(%(expressions)s)"
    output_field: Any = IntegerField()


def beyond(keys: Sequence[Expression | F], mark: Sequence[Any], *, down: bool) -> Any:
    """A filter for the rows that come after `mark`, the keys' values of a row, where all keys go up or all `down`."""
    here, there = _Row(*keys), _Row(*map(Value, mark))
    return LessThan(here, there) if down else GreaterThan(here, there)


def plain(text: str) -> str:
    """A mark's text. Raises ValueError for what no column holds."""
    str(text).encode()
    if "\0" in str(text):
        raise ValueError
    return str(text)


def instant(text: str) -> datetime:
    """A mark's instant. Raises ValueError for one without its offset."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError
    return read


def amount(text: str) -> Decimal:
    """A mark's amount. Raises ValueError for what no column of ours holds."""
    try:
        read = Decimal(text)
    except InvalidOperation as error:
        raise ValueError from error
    if not read.is_finite() or abs(read.adjusted()) > 18:
        raise ValueError
    return read


@dataclass(frozen=True)
class Key:
    """What a list is in order by, and how its value is read from a mark. The last one of an order is unique."""

    by: Any
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Turn:
    """The rows of a page, and the marks of the pages beside it, empty where there is none.

    Rows are instances of a model, or dicts where only some values are asked for: those take half as long.
    """

    rows: Sequence[Any]
    next: str
    previous: str


def turn(rows: QuerySet[Any], keys: Sequence[Key], size: int, after: str, before: str, *, down: bool) -> Turn:
    """One page, by one query: the rows after a mark, or before one, in the order of the keys.

    A mark that is none of this order is passed over: then it is the first page.
    """
    mark = unmark(before or after, keys)
    backwards = bool(before and mark)
    named = {f"key_{place}": key.by for place, key in enumerate(keys)}
    names, falling = list(named), down != backwards
    found = rows.annotate(**named).order_by(*(f"-{name}" if falling else name for name in names))
    if mark:
        found = found.filter(beyond([F(name) for name in names], mark, down=falling))
    shown = list(found[: size + 1])
    more, shown = len(shown) > size, shown[:size]
    if backwards:
        shown.reverse()
    if not shown:
        return Turn([], "", "")
    on, back = (True, more) if backwards else (more, bool(mark))
    return Turn(shown, _mark(shown[-1], names) if on else "", _mark(shown[0], names) if back else "")


def _mark(row: Any, names: Sequence[str]) -> str:
    values = [row[name] if isinstance(row, dict) else getattr(row, name) for name in names]
    text = json.dumps([value.isoformat() if isinstance(value, datetime) else value for value in values], default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unmark(text: str, keys: Sequence[Key]) -> list[Any] | None:
    """The values of the keys that a mark says; None where it is none of this order."""
    try:
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if len(said) != len(keys):
            return None
        return [key.read(value) for key, value in zip(keys, said, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        return None
