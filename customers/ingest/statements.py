"""Statements in PostgreSQL's own words."""

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
