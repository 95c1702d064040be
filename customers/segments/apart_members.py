"""The customers behind a difference: a segment's members by their value of a field, or those with one value of it."""

from dataclasses import dataclass
from typing import Any

from customers.models import Segment
from customers.segments import for_values
from customers.segments.fields import TABLES, Column
from customers.segments.operators import Moment, Sql, bound
from customers.segments.patience import patiently


@dataclass(frozen=True)
class Members:
    """`rows`: customer id and value; `count` of all there are."""

    rows: list[tuple[int, Any]]
    count: int


def members(segment: Segment, column: Column, value: str, moment: Moment, page: slice) -> Members:
    """Members of whom the field is known, the greatest first; with `value` only those who have it. Raises TooSlow."""
    x = bound(column.sql, moment)
    test = _has(x, column, value) if value else Sql(f"{x.text} IS NOT NULL", x.params)
    tables = " ".join(TABLES.values())
    found = (
        f"FROM {tables} JOIN customers_segmentmembership m ON m.customer_id = f.customer_id "
        f"AND m.segment_id = %s AND m.left_at IS NULL WHERE {test.text}"
    )
    with patiently() as cursor:
        cursor.execute(f"SELECT count(*) {found}", (segment.pk, *test.params))
        (count,) = cursor.fetchone()
        cursor.execute(
            f"SELECT f.customer_id, {x.text} {found} ORDER BY 2 DESC, 1 LIMIT %s OFFSET %s",
            (*x.params, segment.pk, *test.params, page.stop - page.start, page.start),
        )
        return Members(cursor.fetchall(), count)


def _has(x: Sql, column: Column, value: str) -> Sql:
    if column.operators is for_values.TAGS:
        return Sql(f"{x.text} @> ARRAY[%s]::varchar[]", (*x.params, value))
    return Sql(f"({x.text})::text = %s", (*x.params, value))
