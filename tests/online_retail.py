"""Online Retail imported once for the whole run, by the command; each module that asks works on a copy of its own.

    pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("online_retail")]

The rows are committed in the copy, so a module's tests see them with `db`, in transactions of their own and through a
live server, and none of it reaches another module. The customers are as of 2011-12-10, agreed to e-mail, and their
events are not routed yet.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import time_machine
from django.core.management import call_command
from django.db import connection
from psycopg.sql import SQL, Composable, Identifier

DAY = datetime(2011, 12, 10, tzinfo=UTC)


@contextmanager
def copied(source: str, copy: str) -> Iterator[str]:
    """A database that is a copy of another, for as long as the context lasts. Leaves no connection open."""
    connection.close()
    _in_server(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(copy)))
    _in_server(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(copy), Identifier(source)))
    try:
        yield copy
    finally:
        connection.close()
        _in_server(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(copy)))


@contextmanager
def connected_to(name: str) -> Iterator[None]:
    """The default connection, also of threads to come, goes to the database of this name."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def bring_in(path: Path, mapping: str) -> dict[str, Any]:
    """`manage.py import` of order lines; gives the summary that it prints."""
    out = StringIO()
    with time_machine.travel(DAY):
        call_command("import", "order_lines", path, mapping=mapping, json=True, stdout=out, stderr=StringIO())
    summary: dict[str, Any] = json.loads(out.getvalue())
    return summary


def _in_server(statement: Composable) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
