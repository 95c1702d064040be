"""Putting back what can be put back, and telling so on the customers' timelines."""

from typing import Any

from psycopg.sql import SQL, Composable, Identifier, Literal

from customers.ingest.merging_orders import KEY
from customers.ingest.statements import number, rows, run
from customers.ingest.undo.judging import goes_along, naming
from customers.ingest.undo.kinds import Kind
from customers.models import Customer, Event, Interaction, Order, Product, Segment, Task


def begin() -> None:
    """Make room for which customers are concerned, and with how much."""
    run("DROP TABLE IF EXISTS undo_customers")
    run("CREATE TEMP TABLE undo_customers (customer_id bigint, noun text)")


def restore(kind: Kind, params: dict[str, Any]) -> dict[str, int]:
    """Take the gathered and judged rows of one table back, and keep what stays with its reason. Returns the counts."""
    run(SQL(_CONCERNED).format(table=kind.identifier, customer=SQL(kind.customer), noun=Literal(kind.noun)))
    if kind.model is Order:
        run(SQL(_CALM_EVENTS).format(key=SQL(KEY)), **params)
    if kind.model in (Interaction, Task):
        run(SQL(_UNTELL).format(table=kind.identifier, about=Literal(f"{kind.noun}:")), **params)
    removed = _remove(kind)
    for first in (SQL("IS NOT DISTINCT FROM"), SQL("IS DISTINCT FROM")):
        run(
            SQL(_CHANGE_BACK).format(
                table=kind.identifier, first=first, columns=kind.columns(), of_told=_columns_of("told", kind)
            )
        )
    of_whole = _columns_of("whole", kind)
    run(SQL(_PUT_BACK).format(table=kind.identifier, columns=kind.columns(), of_whole=of_whole))
    run(SQL(_KEEP).format(table=kind.identifier, noun=Literal(kind.noun), called=SQL(kind.name)), **params)
    run(SQL(_FORGET).format(name=Literal(kind.table)), **params)
    run(SQL(_REMEMBER).format(name=Literal(kind.table)), **params)
    if kind.model is Product:
        # The next look at crossings is a full pass: rules ask about the categories of products.
        Segment.objects.update(computed_at=None)
    counts = rows("SELECT count(*) FILTER (WHERE NOT made AND reason IS NULL), count(reason) FROM undo_rows")
    ((changed, kept),) = counts
    return {"removed": removed, "changed": changed, "kept": kept}


# Of a row that goes this is asked before it does, of one that comes again after; the row says whose it was.
_CONCERNED = """
    INSERT INTO undo_customers
    SELECT {customer}, {noun} FROM undo_rows AS told JOIN {table} AS stands ON stands.id = told.id
    WHERE told.reason IS NULL
    UNION ALL
    SELECT (told.before ->> 'customer_id')::bigint, {noun} FROM undo_rows AS told
    WHERE told.reason IS NULL AND told.before ? 'customer_id'
"""

# What was told of orders that go stays on the timeline, and nothing begins any more on account of it.
_CALM_EVENTS = """
    UPDATE customers_event AS event SET routed_at = %(now)s
    FROM (SELECT id, customer_id, external_id, {key} AS key FROM customers_order
        WHERE id IN (SELECT id FROM undo_rows WHERE reason IS NULL)) AS gone
    WHERE event.customer_id = gone.customer_id AND event.kind IN ('order.placed', 'order.cancelled')
        AND event.dedup_key = gone.key AND event.recorded_at = %(at)s AND event.routed_at IS NULL
"""


# What goes was not logged or opened here: a timeline that said so would lead to nothing, and tell it twice once it
# comes again. That it was taken back is told.
_UNTELL = """
    DELETE FROM customers_event AS event USING undo_rows AS told, {table} AS gone
    WHERE told.reason IS NULL AND gone.id = told.id AND event.customer_id = gone.customer_id
        AND event.source = 'import' AND event.recorded_at = %(at)s AND event.ref = {about} || gone.id
"""


def _remove(kind: Kind) -> int:
    """Remove the rows that the import made; a customer with what is worked out about them, and their timeline."""
    if kind.model is Customer:
        run(_SHRINK_SEGMENTS)
        for model, column in naming(Customer, lambda model: model is Event or goes_along(model)):
            run(SQL(_REMOVE_OF).format(Identifier(model._meta.db_table), Identifier(column)))
    return run(SQL(_REMOVE).format(kind.identifier))


# Segments keep the number of their members, which a refresh only adds its differences to.
_SHRINK_SEGMENTS = """
    UPDATE customers_segment AS segment SET size = segment.size - gone.number
    FROM (SELECT stay.segment_id, count(*) AS number
        FROM customers_segmentmembership AS stay JOIN undo_rows AS told ON told.id = stay.customer_id
        WHERE told.made AND told.reason IS NULL AND stay.left_at IS NULL GROUP BY stay.segment_id) AS gone
    WHERE gone.segment_id = segment.id
"""
_REMOVE = """
    DELETE FROM {} AS stands USING undo_rows AS told WHERE told.made AND told.reason IS NULL AND stands.id = told.id
"""
_REMOVE_OF = """
    DELETE FROM {} AS stands USING undo_rows AS told
    WHERE told.made AND told.reason IS NULL AND stands.{} = told.id
"""

# Whoever steps back from being the main contact does so before another takes the place.
_CHANGE_BACK = """
    UPDATE {table} AS stands SET ({columns}) = ROW ({of_told}) FROM (
        SELECT told.before, whole.* FROM undo_rows AS told JOIN {table} AS now ON now.id = told.id
        CROSS JOIN LATERAL jsonb_populate_record(now, told.before) AS whole
        WHERE told.after IS NOT NULL AND told.reason IS NULL) AS told
    WHERE stands.id = told.id AND told.before ->> 'is_main' {first} 'false'
"""
_PUT_BACK = """
    WITH back AS (
        INSERT INTO {table} (id, {columns})
        SELECT whole.id, {of_whole} FROM undo_rows AS told
        CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, told.before) AS whole
        WHERE NOT told.made AND told.after IS NULL AND told.reason IS NULL
        ON CONFLICT DO NOTHING RETURNING id
    )
    UPDATE undo_rows AS told SET reason = 'Another has taken its place since.'
    WHERE NOT made AND after IS NULL AND reason IS NULL AND NOT EXISTS (SELECT FROM back WHERE id = told.id)
"""


def _columns_of(row: str, kind: Kind) -> Composable:
    return SQL(", ").join(Identifier(row, str(field.column)) for field in kind.fields())


_KEEP = """
    INSERT INTO customers_importkept (run_id, noun, row_id, name, reason)
    SELECT %(run)s, {noun}, told.id, left(coalesce({called}, (SELECT loser_name FROM customers_merge
        WHERE {noun} = 'customer' AND loser_id = told.id AND undone_at IS NULL), ''), 300), told.reason
    FROM undo_rows AS told LEFT JOIN {table} AS stands ON stands.id = told.id
    WHERE told.reason IS NOT NULL ORDER BY told.id
"""
# What stays may be taken back later, once what holds it is gone.
_FORGET = """
    DELETE FROM customers_importchange WHERE run_id = %(run)s AND at = %(at)s AND "table" = {name}
"""
_REMEMBER = """
    INSERT INTO customers_importchange (run_id, at, "table", first, last, before, after)
    SELECT %(run)s, %(at)s, {name}, min(id), max(id), NULL, NULL
    FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS island FROM undo_rows
        WHERE made AND reason IS NOT NULL) AS spans
    GROUP BY island
    UNION ALL
    SELECT %(run)s, %(at)s, {name}, id, id, before, after FROM undo_rows WHERE NOT made AND reason IS NOT NULL
"""


def tell(params: dict[str, Any]) -> int:
    """Record on the timeline of every customer who stays what was taken back; facts follow. Returns how many."""
    return number(_TELL, **params)


_TELL = """
    WITH concerned AS (
        SELECT customer_id, noun, count(*) AS times FROM undo_customers
        WHERE customer_id IN (SELECT id FROM customers_customer) GROUP BY customer_id, noun
    ), told AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT customer_id, 'import.undone', %(now)s, %(now)s, 'import', 'import:' || %(run)s,
            jsonb_build_object('import', %(run)s, 'file', %(file)s::text, 'said', string_agg(
                CASE noun WHEN 'customer' THEN 'fields' ELSE times || ' × ' || noun END, ', ' ORDER BY noun)),
            gen_random_uuid()
        FROM concerned GROUP BY customer_id RETURNING customer_id
    )
    SELECT count(*) FROM told
"""
