"""Online Retail imported once for the whole run; each module that asks works on a copy of its own.

    pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("online_retail")]

The rows are committed in the copy, so a module's tests see them with `db`, in transactions of their own and through a
live server, and none of it reaches another module. The customers are as of 2011-12-10, agreed to e-mail, and their
events are not routed yet.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import time_machine
from django.db import connection
from psycopg.sql import SQL, Composable, Identifier

from customers.ingest.imports import start, take_in
from customers.ingest.naming import named
from retention.workspace import jobs

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


def bring_in(path: Path, mapping: str) -> None:
    with time_machine.travel(DAY), path.open("rb") as file:
        job = start(take_in(file, path.name, named(mapping)), dry_run=False)
        jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == job.State.DONE, job.error


def _in_server(statement: Composable) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
