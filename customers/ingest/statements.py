"""Statements in PostgreSQL's own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg.sql import Composable


def run(statement: str | Composable, **params: Any) -> int:
    """Execute one statement with `%(name)s` parameters; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return int(cursor.rowcount)


def number(statement: str | Composable, **params: Any) -> int:
    """Execute a statement that answers with one number."""
    ((answer,),) = rows(statement, **params)
    return int(answer)


def rows(statement: str | Composable, **params: Any) -> list[tuple[Any, ...]]:
    """Execute a statement that answers with few rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return list(cursor.fetchall())


@contextmanager
def parents_held() -> Iterator[None]:
    """Inside, PostgreSQL does not look up for each new row whether the row that it names is there.

    For a statement whose rows name what its transaction made, or holds FOR KEY SHARE as the look-ups would: by the
    million they take longer than the rows themselves. No trigger runs either. Where the database's role may not set
    this (superusers may, and whoever was granted SET on session_replication_role), everything is as ever.
    """
    if not number("SELECT has_parameter_privilege('session_replication_role', 'SET')::int"):
        yield
        return
    run("SET LOCAL session_replication_role = 'replica'")
    yield
    run("SET LOCAL session_replication_role = 'origin'")
