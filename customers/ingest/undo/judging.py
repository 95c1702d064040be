"""Which rows of an import can be taken back, and why others stay.

`undo_rows` holds the rows of one table and one run: id, before and after as in the journal, whether the run made them,
and the reason where a row stays.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Model
from psycopg.sql import SQL, Identifier, Literal

from customers.events.kinds import CONSEQUENCES
from customers.events.telling import TOLD
from customers.ingest.statements import run
from customers.ingest.undo.kinds import UNMARKED, Kind
from customers.models import Contact, Customer, Event
from retention.common.counting import counted

CHANGED = "It was changed after the file came in."
GONE = "It was removed after the file came in."
MERGED = "It went when two customers were merged, and comes back where that is undone."


def gather(kind: Kind, params: dict[str, Any]) -> int:
    """Fill `undo_rows` with what the run did to the kind's table, and lock what stands. Returns how many there are."""
    run("DROP TABLE IF EXISTS undo_rows")
    named = {"table": kind.identifier, "name": Literal(kind.table), "model": Literal(kind.model._meta.label)}
    found = run(SQL(_GATHER).format(**named), merged=MERGED, **params)
    if found:
        run("ALTER TABLE undo_rows ADD PRIMARY KEY (id)")
        run("ANALYZE undo_rows")
        run(SQL("SELECT FROM {} WHERE id IN (SELECT id FROM undo_rows) ORDER BY id FOR UPDATE").format(kind.identifier))
    return found


# A row that a run changed in two steps goes back over both: what it was before the first, and is after the last.
# What a merge has put away stays with the import, so that it can be taken back once the merge is undone.
_GATHER = """
    CREATE TEMP TABLE undo_rows AS
    WITH told AS (
        SELECT id, first, last, before, after, count(*) OVER (PARTITION BY first) AS steps FROM customers_importchange
        WHERE run_id = %(run)s AND at = %(at)s AND "table" = {name}
    )
    SELECT stands.id, NULL::jsonb AS before, NULL::jsonb AS after, TRUE AS made, NULL::text AS reason
    FROM told JOIN {table} AS stands ON stands.id BETWEEN told.first AND told.last WHERE told.before IS NULL
    UNION ALL
    SELECT aside.row, NULL, NULL, TRUE, %(merged)s
    FROM told JOIN customers_mergedrow AS aside ON aside.row BETWEEN told.first AND told.last
    JOIN customers_merge AS merge ON merge.id = aside.merge_id AND merge.undone_at IS NULL
    WHERE told.before IS NULL AND aside.model = {model} AND aside.after IS NULL
        AND NOT EXISTS (SELECT FROM {table} WHERE id = aside.row)
    UNION ALL
    SELECT first, before, after, FALSE, NULL FROM told WHERE before IS NOT NULL AND steps = 1
    UNION ALL
    SELECT first, was.before, became.after, FALSE, NULL FROM (
        SELECT first, jsonb_object_agg(key, value ORDER BY id DESC) AS before
        FROM told CROSS JOIN jsonb_each(told.before) WHERE steps > 1 GROUP BY first) AS was
    LEFT JOIN (
        SELECT first, jsonb_object_agg(key, value ORDER BY id) AS after
        FROM told CROSS JOIN jsonb_each(told.after) WHERE steps > 1 GROUP BY first) AS became USING (first)
"""


def judge(kind: Kind, params: dict[str, Any]) -> None:
    """Say of each gathered row that must stay why. What is locked here cannot change any more."""
    run(SQL(_TOUCHED).format(table=kind.identifier, untouched=SQL(kind.untouched)), changed=CHANGED, **params)
    if kind.table in UNMARKED:
        run(SQL(_WRITTEN_AGAIN).format(name=Literal(kind.table)), changed=CHANGED, **params)
    run(SQL(_MISSING).format(table=kind.identifier), gone=GONE)
    for column, parent in kind.references():
        run(SQL(_NAMES_NOTHING).format(column=Literal(column), parent=Identifier(parent)))
    if kind.model is Contact:
        run(_LED_BY_ANOTHER)
    if kind.model is Customer:
        run(_LIVED_ON, kinds=list(CONSEQUENCES), told=list(TOLD))
    for model, column in naming(kind.model, _holds):
        _note_hanging(model, column)


# A row that was changed goes back as a whole or stays as a whole. What was made must be as it was made.
_TOUCHED = """
    UPDATE undo_rows AS told SET reason = %(changed)s FROM {table} AS stands
    WHERE stands.id = told.id AND NOT CASE WHEN told.made THEN {untouched}
        WHEN told.after IS NULL THEN FALSE ELSE to_jsonb(stands) @> told.after END
"""
# By the API, or by an import that was forgotten since or not taken back whole: any other would bar the way.
_WRITTEN_AGAIN = """
    UPDATE undo_rows AS told SET reason = %(changed)s
    WHERE made AND reason IS NULL AND EXISTS (
        SELECT FROM customers_importchange AS later WHERE later."table" = {name} AND later.first = told.id
            AND later.before IS NOT NULL AND later.at >= %(at)s AND later.run_id IS DISTINCT FROM %(run)s)
"""
_MISSING = """
    UPDATE undo_rows AS told SET reason = %(gone)s
    WHERE told.after IS NOT NULL AND NOT EXISTS (SELECT FROM {table} WHERE id = told.id)
"""
_NAMES_NOTHING = """
    UPDATE undo_rows AS told SET reason = 'What it named before is there no more.'
    WHERE reason IS NULL AND (before -> {column}) IS NOT NULL AND before ->> {column} IS NOT NULL
        AND NOT EXISTS (SELECT FROM {parent} WHERE id = (told.before ->> {column})::bigint)
"""
# One person leads at most: whoever led before does so again where the one after them goes or steps back.
_LED_BY_ANOTHER = """
    UPDATE undo_rows AS told SET reason = 'Somebody else is the main contact now.'
    FROM customers_contact AS stands
    WHERE stands.id = told.id AND told.reason IS NULL AND told.before ->> 'is_main' = 'true' AND EXISTS (
        SELECT FROM customers_contact AS other LEFT JOIN undo_rows AS theirs ON theirs.id = other.id
        WHERE other.customer_id = stands.customer_id AND other.id <> stands.id AND other.is_main
            AND other.removed_at IS NULL AND NOT COALESCE(
                theirs.reason IS NULL AND (theirs.made OR theirs.before ->> 'is_main' = 'false'), FALSE))
"""
# What did not follow by itself, did not come out of a file with an order or the like, and has no row of its own that
# would hang on the customer.
_LIVED_ON = """
    UPDATE undo_rows AS told SET reason = 'Something happened to them after the file came in.'
    WHERE made AND reason IS NULL AND EXISTS (
        SELECT FROM customers_event AS event WHERE event.customer_id = told.id
            AND (event.source <> 'import' OR event.kind = ANY(%(told)s)) AND NOT starts_with(event.kind, 'consent.')
            AND NOT event.kind = ANY(%(kinds)s))
"""


def naming(model: type[Model], which: Callable[[type[Model]], bool]) -> Iterator[tuple[type[Model], str]]:
    """Models such that rows of theirs name rows of this one, each with the column that does."""
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one):
            other = relation.related_model
            if isinstance(other, type) and which(other):
                yield other, str(relation.field.column)  # type: ignore[union-attr]


def _holds(model: type[Model]) -> bool:
    """Whether a row of the model keeps the row that it names where it is; of events that is asked by their kinds."""
    return model is not Event and not goes_along(model)


def goes_along(model: type[Model]) -> bool:
    """Whether rows of the model are worked out from others, and go with the customer they are about."""
    return bool(getattr(model, "GOES_WITH_CUSTOMER", False))


def _note_hanging(model: type[Model], column: str) -> None:
    one, many = (counted(count, str(model._meta.verbose_name)).split(" ", 1)[1] for count in (1, 2))
    run(
        SQL(_HELD).format(table=Identifier(model._meta.db_table), column=Identifier(column)),
        one=f" {one} hangs on it.",
        many=f" {many} hang on it.",
    )


_HELD = """
    UPDATE undo_rows AS told SET reason = times || CASE times WHEN 1 THEN %(one)s ELSE %(many)s END
    FROM (
        SELECT told.id, count(*) AS times FROM undo_rows AS told JOIN {table} AS other ON other.{column} = told.id
        WHERE told.made AND told.reason IS NULL GROUP BY told.id) AS held
    WHERE told.id = held.id
"""
