"""Staging: the file's records as they are, judged set-wise.

The tables are temporary: PostgreSQL drops them with the connection, so that a killed import leaves nothing behind.
`import_texts` holds what the file says (line, refusal, c0 …); `import_rows` what it means, with a typed column for each
field of the file's kind, or why the row was refused.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from django.db import connection
from psycopg.sql import SQL, Identifier

from customers.ingest.expressions import judged
from customers.ingest.mapping import Mapping
from customers.ingest.reader import Record
from customers.ingest.statements import number, run
from customers.models.imports import ImportKind

BLOCK = 20_000  # records between two reports

Report = Callable[[int], None]


def stage(records: Iterable[Record], columns: Sequence[str], mapping: Mapping, zone: str, report: Report) -> int:
    """Copy records of a file with these columns into staging and judge them. Returns how many there are."""
    clear()
    used = [name for name in columns if name in mapping.columns()]
    places = {name: place for place, name in enumerate(used)}
    texts = SQL(", ").join(SQL("{} text").format(Identifier(f"c{place}")) for place in places.values())
    run(SQL("CREATE TEMP TABLE import_texts (line bigint, refusal text, {})").format(texts))
    staged = _copy(iter(records), [columns.index(name) for name in used], report)
    run(SQL("CREATE TEMP TABLE import_rows AS ") + judged(mapping, places, zone, "import_texts"))
    run("DROP TABLE import_texts")
    run("CREATE INDEX ON import_rows (line) WHERE refusal IS NOT NULL")
    run("ANALYZE import_rows")
    _REFUSE[mapping.kind]()
    return staged


def clear() -> None:
    """Drop what an earlier import left on this connection."""
    run("DROP TABLE IF EXISTS import_texts, import_rows, import_customers, import_orders, import_lines")


def refusals() -> int:
    return number("SELECT count(*) FROM import_rows WHERE refusal IS NOT NULL")


def _copy(records: Iterator[Record], used: list[int], report: Report) -> int:
    staged = 0
    while block := list(islice(records, BLOCK)):
        with connection.cursor() as cursor, cursor.copy("COPY import_texts FROM STDIN") as copy:
            for line, values, refusal in block:
                if refusal:
                    copy.write_row((line, refusal, *(None for _ in used)))
                else:
                    copy.write_row((line, None, *(values[place] for place in used)))
        staged += len(block)
        report(staged)
    return staged


def _refuse_repeated(key: str, what: str) -> None:
    """Of rows with one id the first stands; a later one may repeat it, and is refused where it says otherwise."""
    run(
        SQL(
            "WITH stands AS ("
            "  SELECT DISTINCT ON ({key}) * FROM import_rows WHERE refusal IS NULL AND {key} IN ("
            "    SELECT {key} FROM import_rows WHERE refusal IS NULL GROUP BY {key} HAVING count(*) > 1)"
            "  ORDER BY {key}, line) "
            "UPDATE import_rows SET refusal = concat({what}, import_rows.{key}, '” is already in line ', stands.line,"
            " ', which says otherwise; that line stands.') FROM stands "
            "WHERE import_rows.{key} = stands.{key} AND import_rows.refusal IS NULL AND import_rows.line > stands.line"
            " AND to_jsonb(import_rows) - 'line' <> to_jsonb(stands) - 'line'"
        ).format(key=Identifier(key), what=SQL(what))
    )


def _refuse_repeated_customers() -> None:
    _refuse_repeated("customer_id", "'Customer “'")


def _refuse_repeated_orders() -> None:
    _refuse_repeated("order_id", "'Order “'")


def _refuse_torn_orders() -> None:
    """An order comes whole or not at all: a part of it would be taken for the whole."""
    run(
        "WITH torn AS ("
        "  SELECT order_id, CASE WHEN max(customer_id) <> min(customer_id)"
        "      THEN format('Order “%s” names two customers, “%s” and “%s”.',"
        "        order_id, min(customer_id), max(customer_id))"
        "    WHEN max(currency) <> min(currency) THEN format('Order “%s” has two currencies.', order_id)"
        "    WHEN abs(sum(coalesce(quantity, 1) * unit_price)) >= 1e12"
        "      THEN format('Order “%s” comes to more than can be kept.', order_id)"
        "    WHEN count(ordered_at) = 0 THEN format('Order “%s” has no date in any of its lines.', order_id) END AS why"
        "  FROM import_rows WHERE refusal IS NULL GROUP BY order_id) "
        "UPDATE import_rows SET refusal = why FROM torn"
        " WHERE import_rows.order_id = torn.order_id AND why IS NOT NULL AND refusal IS NULL"
    )
    run(
        "WITH broken AS ("
        "  SELECT order_id, min(line) AS line FROM import_rows"
        "  WHERE refusal IS NOT NULL AND order_id IS NOT NULL GROUP BY order_id) "
        "UPDATE import_rows SET refusal = format('Line %s of the same order was refused, and an order comes whole.',"
        " broken.line) FROM broken WHERE import_rows.order_id = broken.order_id AND refusal IS NULL"
    )


_REFUSE: dict[str, Callable[[], None]] = {
    ImportKind.CUSTOMERS: _refuse_repeated_customers,
    ImportKind.ORDERS: _refuse_repeated_orders,
    ImportKind.ORDER_LINES: _refuse_torn_orders,
}
