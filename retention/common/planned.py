"""Long statements that the database plans once for each connection: to plan one can take longer than to run it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.sql import Literal

#: So often a statement runs before the database is asked to keep its plan.
AGAIN = 3


def rows(statement: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What a statement finds. What is the same each time is best written into it: see `written`.

    Unlike Django's, the cursor leaves the parameters apart from the statement, which is the same text each time.
    """
    with _cursor() as cursor:
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def written(statement: str, params: Iterable[Any], varies: Callable[[Any], bool]) -> tuple[str, list[Any]]:
    """The statement with those of its parameters written into it that do not vary, and those that do."""
    connection.ensure_connection()
    given = list(params)
    texts = tuple("%s" if varies(each) else _literal(each) for each in given)
    return statement.replace("%%", "%%%%") % texts, [each for each in given if varies(each)]


def _literal(value: Any) -> str:
    return Literal(value).as_string(connection.connection).replace("%", "%%")


def _cursor() -> CursorWrapper:
    connection.ensure_connection()
    raw = connection.connection
    raw.prepare_threshold = AGAIN
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return make(psycopg.Cursor(raw))  # type: ignore[arg-type]  # the stubs take only what it returns
