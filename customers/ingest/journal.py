"""The journal of an import: which rows it made, changed and removed, written by the statements that do so.

Each part below is an INSERT for a WITH list. All parts of a statement see the tables as they were when it began, which
is not what an UPDATE changes that waited for somebody: it goes on from what they left. So a row is locked before it is
read for the journal: by an earlier statement, or by the WITH query that the UPDATE and the journal both read. Rows made
are kept as spans of ids; what changes nothing writes nothing.
"""

from psycopg.sql import SQL, Composable, Identifier, Literal


def changed(table: str, rows: str = "changed", held: str = "") -> Composable:
    """Keeps what differs in rows of `table` that the WITH query `rows` changed and returns whole.

    The WITH query `held` locked them, and has each as it stood under the lock, whole, as `was`. Without one an earlier
    statement locked them.
    """
    before = SQL("(SELECT (was).* FROM {})").format(Identifier(held)) if held else Identifier(table)
    return SQL("""
        INSERT INTO customers_importchange (run_id, at, "table", first, last, before, after)
        SELECT %(run)s, %(at)s, {name}, was_id, was_id, before, after FROM (
            SELECT was.id AS was_id, to_jsonb(was) AS was, to_jsonb(became) AS became
            FROM {rows} AS became JOIN {before} AS was ON was.id = became.id OFFSET 0) AS both_
        CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(key, value) AS before, jsonb_object_agg(key, became -> key) AS after
            FROM jsonb_each(was) WHERE value IS DISTINCT FROM became -> key) AS difference
        WHERE before IS NOT NULL
    """).format(name=Literal(table), before=before, rows=Identifier(rows))


def made(table: str, rows: str = "created") -> Composable:
    """Keeps the spans of ids of rows of `table` that the WITH query `rows` made."""
    return SQL("""
        INSERT INTO customers_importchange (run_id, at, "table", first, last)
        WITH whole AS (SELECT min(id) AS first, max(id) AS last, count(*) AS times FROM {rows})
        SELECT %(run)s, %(at)s, {name}, first, last FROM whole WHERE times = last - first + 1
        UNION ALL
        SELECT %(run)s, %(at)s, {name}, min(id), max(id)
        FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS island FROM {rows}
            WHERE (SELECT times < last - first + 1 FROM whole)) AS spans GROUP BY island
    """).format(name=Literal(table), rows=Identifier(rows))


def removed(table: str, rows: str = "removed") -> Composable:
    """Keeps the rows of `table` that the WITH query `rows` removed and returns whole."""
    return SQL("""
        INSERT INTO customers_importchange (run_id, at, "table", first, last, before)
        SELECT %(run)s, %(at)s, {name}, gone.id, gone.id, to_jsonb(gone) FROM {rows} AS gone
    """).format(name=Literal(table), rows=Identifier(rows))


def updating(statement: str | Composable, table: str) -> Composable:
    """An UPDATE … RETURNING whole rows of `table` that are locked, told in the journal; answers how many it changed."""
    return _told(statement, changed(table, "touched"))


def inserting(statement: str | Composable, table: str) -> Composable:
    """An INSERT … RETURNING ids, told in the journal; answers how many rows it made."""
    return _told(statement, made(table, "touched"))


def deleting(statement: str | Composable, table: str) -> Composable:
    """A DELETE … RETURNING the whole rows of `table`, told in the journal; answers how many it removed."""
    return _told(statement, removed(table, "touched"))


def _told(statement: str | Composable, told: Composable) -> Composable:
    body = SQL(statement) if isinstance(statement, str) else statement
    return SQL("WITH touched AS ({}), told AS ({}) SELECT count(*) FROM touched").format(body, told)
