"""Lists from a file: customer ids or e-mail addresses, one a line or in a column of a CSV file."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

MAX_VALUE = 320
#: What a column of ids or addresses may be called, without regard to case, spaces and marks.
_NAMES = ("customerid", "externalid", "id", "email", "emailaddress", "mail")
_MARKS = str.maketrans("", "", " _-.")


@dataclass(frozen=True)
class Size:
    """How large a file may be."""

    bytes: int
    values: int


#: What is read while somebody waits for the page, and what a job takes.
SMALL, LARGE = Size(200_000, 20_000), Size(50_000_000, 1_000_000)


class FileRefused(Exception):
    """Why the file cannot be used, as a sentence for the person who brought it."""


@dataclass(frozen=True)
class Found:
    """The customers that a file names, and what in it is nobody's."""

    customer_ids: list[int]
    unmatched: list[str]


def read(content: bytes, most: Size) -> list[str]:
    """The values in a file, each once, in their order. Raises FileRefused."""
    if len(content) > most.bytes:
        raise FileRefused(f"The file is larger than {most.bytes // 1_000_000} MB. Bring it in parts.")
    values = list(dict.fromkeys(_values(_text(content))))
    if not values:
        raise FileRefused("There is nothing in the file. It should have one customer id or e-mail address a line.")
    if len(values) > most.values:
        raise FileRefused(f"The file names more than {most.values:,} customers. Bring it in parts.")
    return values


def _text(content: bytes) -> str:
    if b"\0" in content:
        raise FileRefused("This is no text file. Save the list as CSV or as plain text.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefused("The file is not in UTF-8. Save it as CSV in UTF-8.") from error


def _values(text: str) -> Iterator[str]:
    """What stands in the column with a known name, else in the first one."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=_delimiter(text)) if any(row)]
    except csv.Error as error:
        raise FileRefused(f"The file is no readable CSV: {error}.") from error
    titles = [title.strip().lower().translate(_MARKS) for title in rows[0]] if rows else []
    column = next((titles.index(name) for name in _NAMES if name in titles), None)
    for row in rows if column is None else rows[1:]:
        value = row[column or 0].strip() if len(row) > (column or 0) else ""
        if value:
            yield value[:MAX_VALUE]


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def find(values: list[str]) -> Found:
    """Whose ids or addresses these are; an address that several customers have stands for all of them. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"values": values})
        rows = cursor.fetchall()
    return Found(sorted({pk for pk, _ in rows if pk is not None}), [value for pk, value in rows if pk is None])


_FIND = """
    WITH given AS (SELECT value, place FROM unnest(%(values)s::text[]) WITH ORDINALITY AS given(value, place)),
    found AS (
        SELECT given.place, c.id FROM given JOIN customers_customer c ON c.external_id = given.value
        UNION
        SELECT given.place, f.customer_id FROM given JOIN customers_formerid f ON f.external_id = given.value
        UNION
        SELECT given.place, c.id FROM given JOIN customers_customer c ON lower(c.email) = lower(given.value)
        WHERE given.value LIKE '%%@%%')
    SELECT found.id, given.value FROM given LEFT JOIN found ON found.place = given.place ORDER BY given.place
"""
