"""Paging by the last row shown: PostgreSQL compares whole rows, by an index that leads with the same parts."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Func, IntegerField, Value
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
