"""What races of imports have in common: the import, and COPY of the same rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction
from psycopg.sql import SQL, Composable, Identifier

from customers.ingest.imports import run_here
from customers.models import Import

# What an import writes, in the order in which rows name each other.
TABLES = ("customers_customer", "customers_consent", "customers_order", "customers_orderline", "customers_event")


def bring_in(taken: Import) -> None:
    job = run_here(taken, dry_run=False, tell=lambda *_: None)
    if job.state != job.State.DONE:
        raise RuntimeError(job.error)


def run(statement: Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def empty() -> None:
    run(SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(SQL(", ").join(map(Identifier, TABLES))))


def _columns(table: str) -> Composable:
    """All but the generated ones, which COPY does not write."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' ORDER BY attnum",
            [table],
        )
        return SQL(", ").join(Identifier(name) for (name,) in cursor.fetchall())


def copied_out() -> dict[str, bytes]:
    """The rows that stand now, by table."""
    return {table: _copied_out(table) for table in TABLES}


def _copied_out(table: str) -> bytes:
    statement = SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(Identifier(table), _columns(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(map(bytes, copy))


def copy_in(copies: dict[str, bytes]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table, content in copies.items():
            statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(Identifier(table), _columns(table))
            with cursor.copy(statement) as copy:
                copy.write(content)


@contextmanager
def bare_table(names: Sequence[str]) -> Iterator[None]:
    """A heap table of these columns as text."""
    columns = SQL(", ").join(SQL("{} text").format(Identifier(name)) for name in names)
    run(SQL("CREATE TABLE bench_lines ({})").format(columns))
    yield
    run(SQL("DROP TABLE bench_lines"))


def empty_bare_table() -> None:
    run(SQL("TRUNCATE bench_lines"))


def copy_lines(lines: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY bench_lines FROM STDIN (FORMAT csv)") as copy:
        copy.write(lines)
