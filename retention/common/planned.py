"""Long statements that the database plans once for each connection: to plan one can take longer than to run it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from psycopg.sql import Literal

#: So often a statement runs before the database is asked to keep its plan.
AGAIN = 3
# Without the first, it weighs each time whether to plan a statement anew for its parameters, which takes longer than to
# run it. The second is ten times what is usual: to start workers takes longer than they save of some tens of
# milliseconds, which is as long as a page may take; what takes longer still has them.
_SESSION = "SET plan_cache_mode = force_generic_plan; SET parallel_setup_cost = 10000"
M = TypeVar("M", bound=Model)
N = TypeVar("N", bound=Model)


def rows(statement: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What a statement finds. What is the same each time is best written into it: see `written`.

    Unlike Django's, the cursor leaves the parameters apart from the statement, which is the same text each time.
    """
    with _cursor() as cursor:
        cursor.execute(statement, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def numbered(statement: bytes, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The same of a statement with its parameters as $1, $2: to look for each `%s` in a long one takes long."""
    with _cursor(psycopg.RawCursor) as cursor:
        cursor.execute(statement, params)  # type: ignore[arg-type]  # the stubs know no statement in bytes
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


@cache
def columns(model: type[Model], of: str = "") -> str:
    """All that `instances` needs, by name: a plan that is kept does not bear that a `*` comes to stand for more."""
    table = of or model._meta.db_table
    return ", ".join(f'{table}."{field.column}"' for field in model._meta.concrete_fields)


def instances(model: type[M], statement: str, params: Sequence[Any] | Mapping[str, Any]) -> list[M]:
    """What a statement finds, as `Manager.raw` gives it: every column of the model, others as further attributes."""
    return [instance(model, row) for row in named(statement, params)]


def beside(model: type[M], other: type[N], statement: str, params: Sequence[Any]) -> list[tuple[M, N]]:
    """What a statement finds of two models, all columns of the one before all columns of the other."""
    width = len(_fields(model)[1])
    return [(_made(model, row[:width]), _made(other, row[width:])) for row in rows(statement, params)]


def named(statement: str, params: Sequence[Any] | Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a statement finds, by the columns' names."""
    with _cursor() as cursor:
        cursor.execute(statement, params)
        found = cursor.pgresult  # its names alone: to describe every column takes longer than to ask for one row
        columns = [found.fname(place).decode() for place in range(found.nfields)]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def instance(model: type[M], row: dict[str, Any]) -> M:
    """Of a row's columns that are the model's, with the others as further attributes."""
    made = part(model, row)
    vars(made).update(row)
    return made


def part(model: type[M], row: dict[str, Any]) -> M:
    """Of a row's columns that are the model's, which are taken out of it."""
    return _made(model, [row.pop(column) for column, _ in _fields(model)[1]])


def _made(model: type[M], row: Sequence[Any]) -> M:
    names, fields = _fields(model)
    values = [_value(value, convert) for value, (_, convert) in zip(row, fields, strict=True)]
    return model.from_db(connection.alias, names, values)


@cache
def _fields(model: type[Model]) -> tuple[list[str], list[tuple[str, Any]]]:
    """The model's attributes, and for each its column and what makes a value of what that has, if anything does."""
    fields = model._meta.concrete_fields
    names = [each.attname for each in fields]
    return names, [(str(each.column), getattr(each, "from_db_value", None)) for each in fields]


def _value(value: Any, convert: Any) -> Any:
    return convert(value, None, connection) if convert else value


def written(statement: str, params: Iterable[Any], varies: Callable[[Any], bool]) -> tuple[str, list[Any]]:
    """The statement with those of its parameters written into it that do not vary, and those that do."""
    connection.ensure_connection()
    given = list(params)
    texts = tuple("%s" if varies(each) else _literal(each) for each in given)
    return statement.replace("%%", "%%%%") % texts, [each for each in given if varies(each)]


def _literal(value: Any) -> str:
    return Literal(value).as_string(connection.connection).replace("%", "%%")


def keep_plans(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Told of each new connection, before any transaction: one that is rolled back would take this back with it."""
    connection.connection.prepare_threshold = AGAIN
    connection.connection.execute(_SESSION)


def _cursor(kind: type[psycopg.Cursor[Any]] = psycopg.Cursor) -> CursorWrapper:
    connection.ensure_connection()
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return make(kind(connection.connection))  # type: ignore[arg-type]  # the stubs take only what it returns
