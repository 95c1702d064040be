"""Importing Online Retail against COPY of the same rows."""

import csv
import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from psycopg.sql import SQL, Composable, Identifier

from bench.harness import Race
from customers.ingest.imports import run_here, take_in
from customers.ingest.naming import named
from customers.models import Import

SHARED = Path(os.environ.get("RETENTION_SHARED", settings.BASE_DIR.parent / "shared"))
FILE = SHARED / "data" / "online_retail" / "online_retail.csv.gz"
# What an import writes, in the order in which rows name each other.
TABLES = ("customers_customer", "customers_consent", "customers_order", "customers_orderline", "customers_event")
ROWS = 541_909


def races() -> Iterator[Race]:
    """An import into empty tables, and the same file again."""
    with FILE.open("rb") as file:
        taken = take_in(file, FILE.name, named("online_retail"))
    _import(taken)
    copies = {table: _copied_out(table) for table in TABLES}
    yield Race(
        f"import of {ROWS:,} order lines",
        "COPY of the rows it makes into the same tables, indexed",
        ours=lambda: _import(taken),
        floor=lambda: _copy_in(copies),
        goal=1.5,
        units=ROWS,
        prepare=_empty,
        prepare_floor=_empty,
    )
    _empty()
    _import(taken)
    with _bare_table() as lines:
        yield Race(
            "the same file again, nothing changed",
            "COPY of its rows into a bare heap table",
            ours=lambda: _import(taken),
            floor=lambda: _copy_lines(lines),
            goal=1.7,
            units=ROWS,
            prepare_floor=lambda: _run(SQL("TRUNCATE bench_lines")),
        )


def _import(taken: Import) -> None:
    job = run_here(taken, dry_run=False, tell=lambda *_: None)
    if job.state != job.State.DONE:
        raise RuntimeError(job.error)


def _run(statement: Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _empty() -> None:
    _run(SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(SQL(", ").join(map(Identifier, TABLES))))


def _columns(table: str) -> Composable:
    """All but the generated ones, which COPY does not write."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' ORDER BY attnum",
            [table],
        )
        return SQL(", ").join(Identifier(name) for (name,) in cursor.fetchall())


def _copied_out(table: str) -> bytes:
    statement = SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(Identifier(table), _columns(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(map(bytes, copy))


def _copy_in(copies: dict[str, bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table, content in copies.items():
            statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(Identifier(table), _columns(table))
            with cursor.copy(statement) as copy:
                copy.write(content)


@contextmanager
def _bare_table() -> Iterator[bytes]:
    """A heap table of the file's columns as text; and the file's rows as COPY takes them."""
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    columns = SQL(", ").join(SQL("{} text").format(Identifier(name)) for name in header)
    _run(SQL("CREATE TABLE bench_lines ({})").format(columns))
    yield text.getvalue().encode()
    _run(SQL("DROP TABLE bench_lines"))


def _copy_lines(lines: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY bench_lines FROM STDIN (FORMAT csv)") as copy:
        copy.write(lines)
