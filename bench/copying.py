"""What races of imports have in common: the import, COPY of the same rows, and of the same lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction
from psycopg.sql import SQL, Composable, Identifier, Literal

from bench.harness import Race
from customers.ingest.imports import run_here
from customers.models import Import

# What an import writes, in the order in which rows name each other.
TABLES = ("customers_customer", "customers_consent", "customers_order", "customers_orderline", "customers_event")


def first_time(what: str, taken: Import, copies: dict[str, bytes], units: int) -> Race:
    """Of an import into empty tables; `copies` are the rows it makes."""
    return Race(
        what,
        "COPY of the rows it makes into the same tables, indexed",
        ours=lambda: bring_in(taken),
        floor=lambda: copy_in(copies),
        goal=1.5,
        units=units,
        prepare=empty,
        prepare_floor=empty,
    )


def once_more(what: str, ours: Callable[[], object], lines: bytes, units: int) -> Race:
    """Of a file of rows that are there; run it inside `bare_table`."""
    return Race(
        what,
        "COPY of its rows into a bare heap table",
        ours=ours,
        floor=lambda: copy_lines(lines),
        goal=1.7,
        units=units,
        prepare_floor=empty_bare_table,
    )


def made_by(taken: Import) -> dict[str, bytes]:
    """The rows that an import makes in empty tables, by table."""
    empty()
    bring_in(taken)
    return {table: _copied_out(table) for table in TABLES}


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


def put_back(copies: dict[str, bytes]) -> None:
    """Make these rows all that there is, as if they had been written one by one."""
    empty()
    copy_in(copies)
    for table in TABLES:
        name = Identifier(table)
        run(SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(Literal(table), name))
        run(SQL("ANALYZE {}").format(name))


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
