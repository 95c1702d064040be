"""Whether a later import built on the rows of one: then that one must be taken back first."""

from collections.abc import Iterator

from django.utils import formats, timezone
from psycopg.sql import SQL, Composable, Identifier, Literal

from customers.ingest.statements import rows
from customers.ingest.undo.kinds import KINDS, NOUNS
from customers.models import Import
from retention.common.counting import counted


class BuiltUpon(Exception):
    """A later import changed rows of this one, or hung others on them; the text says which and how many."""


def check(imported: Import) -> None:
    """Raise BuiltUpon where later imports built on rows that this one made or changed."""
    found: dict[int, dict[str, int]] = {}
    for statement in (SQL(_CHANGED_AGAIN), *_hung_on()):
        for run, table, count in rows(statement, run=imported.pk):
            counts = found.setdefault(run, {})
            counts[table] = counts.get(table, 0) + count
    if found:
        raise BuiltUpon(_in_words(found))


# What is left of an import that was taken back already, as far as it could be, is judged row by row like an edit.
# Both tables' index finds the rows: each later change is of one row, which either is one that this import changed or
# lies in a span of those it made.
_CHANGED_AGAIN = """
    SELECT later.run_id, later."table", count(*)
    FROM customers_importchange AS later
    WHERE later.run_id <> %(run)s AND later.before IS NOT NULL
        AND later.run_id NOT IN (SELECT id FROM customers_import WHERE undone_at IS NOT NULL) AND EXISTS (
        SELECT FROM customers_importchange AS ours WHERE ours.run_id = %(run)s AND ours."table" = later."table"
            AND ours.at < later.at AND ours.first <= later.first AND ours.last >= later.first)
    GROUP BY later.run_id, later."table"
"""


def _hung_on() -> Iterator[Composable]:
    """For each table that names another: how many rows that later imports made name rows that this one made."""
    for kind in KINDS:
        for column, parent in kind.references():
            if parent in NOUNS:
                yield SQL(_HUNG_ON).format(
                    child=Identifier(kind.table),
                    child_name=Literal(kind.table),
                    column=Identifier(column),
                    parent=Literal(parent),
                )


_HUNG_ON = """
    SELECT later.run_id, {child_name}, count(*)
    FROM customers_importchange AS ours
    JOIN {child} AS child ON child.{column} BETWEEN ours.first AND ours.last
    JOIN customers_importchange AS later ON later."table" = {child_name} AND child.id BETWEEN later.first AND later.last
        AND later.before IS NULL AND later.run_id <> ours.run_id AND later.at > ours.at
    WHERE ours.run_id = %(run)s AND ours."table" = {parent} AND ours.before IS NULL
        AND later.run_id NOT IN (SELECT id FROM customers_import WHERE undone_at IS NOT NULL)
    GROUP BY later.run_id
"""


def _in_words(found: dict[int, dict[str, int]]) -> str:
    said = []
    for imported in Import.objects.filter(pk__in=found).select_related("job").order_by("-pk"):
        at = imported.job.finished_at if imported.job and imported.job.finished_at else imported.created_at
        when = formats.date_format(timezone.localtime(at), "j F Y, H:i")
        what = ", ".join(counted(count, NOUNS[table]) for table, count in sorted(found[imported.pk].items()))
        said.append(f"“{imported.filename}”, brought in on {when}, builds on what this file brought: {what}.")
    return " ".join([*said, "Take that back first, the latest first."])
