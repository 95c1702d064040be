"""What a trial would change: counted by field, with examples from before to after.

Both are read from the journal that the very statements of the import wrote, before the trial is rolled back.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from psycopg.sql import SQL, Literal

from customers.ingest.statements import rows
from customers.ingest.undo.kinds import KINDS, Kind
from customers.models import CustomField, Import, ImportExample

EXAMPLES = 1_000  # rows kept to look at
#: Columns that follow from others.
_UNSAID = {"updated_at", "turns_at", "net", "mrr"}
_ATTRIBUTE = "attributes."


@dataclass(frozen=True)
class Rehearsed:
    """How many rows would change in each field, by kind of row; and examples."""

    fields: dict[str, dict[str, int]]
    examples: list[ImportExample]


@dataclass(frozen=True)
class Difference:
    """One field of an example, in words."""

    label: str
    before: str
    after: str


def rehearsed(imported: Import, at: datetime) -> Rehearsed:
    """What the journal of the trial of this instant says, which is about to be rolled back."""
    fields: dict[str, dict[str, int]] = {}
    examples: list[ImportExample] = []
    for kind in KINDS:
        if counts := dict(_counted(imported, at, kind)):
            fields[kind.plural] = counts
            examples += _examples(imported, at, kind)
    return Rehearsed(fields, examples)


def keep(imported: Import, shown: Rehearsed) -> None:
    """Keep the examples, now that the trial is rolled back; those of an earlier one go."""
    ImportExample.objects.filter(run=imported).delete()
    ImportExample.objects.bulk_create(shown.examples, batch_size=500)


def told(examples: Iterable[ImportExample]) -> list[tuple[ImportExample, list[Difference]]]:
    """Each example with its fields that would change, as people read them."""
    shown = list(examples)
    labels = {kind.noun: _labels(kind) for kind in KINDS if any(one.noun == kind.noun for one in shown)}
    return [(one, list(_differences(one, labels[one.noun]))) for one in shown]


def _differences(example: ImportExample, labels: dict[str, str]) -> Iterator[Difference]:
    before, after = dict(_flat(example.before)), dict(_flat(example.after))
    for name in {**before, **after}:
        if name not in _UNSAID and before.get(name) != after.get(name):
            yield Difference(labels.get(name, _bare(name)), _said(before.get(name)), _said(after.get(name)))


def _counted(imported: Import, at: datetime, kind: Kind) -> Iterator[tuple[str, int]]:
    labels = _labels(kind)
    for name, count in rows(_COUNT, run=imported.pk, at=at, table=kind.table):
        if name not in _UNSAID:
            yield labels.get(name, _bare(name)), count


_OF_TRIAL = """
    run_id = %(run)s AND at = %(at)s AND "table" = %(table)s AND before IS NOT NULL AND after IS NOT NULL
"""
_COUNT = f"""
    SELECT name, count(*) FROM customers_importchange CROSS JOIN LATERAL (
        SELECT key AS name FROM jsonb_object_keys(before) AS key WHERE key <> 'attributes'
        UNION ALL
        SELECT '{_ATTRIBUTE}' || key FROM jsonb_each(after -> 'attributes')
        WHERE value IS DISTINCT FROM before -> 'attributes' -> key) AS names
    WHERE {_OF_TRIAL} GROUP BY name ORDER BY count(*) DESC, name
"""  # noqa: S608 - constants of this module
_EXAMPLES = """
    SELECT stands.id, left(coalesce({called}, ''), 300), told.before, told.after
    FROM (SELECT * FROM customers_importchange WHERE {of_trial} ORDER BY id LIMIT {limit}) AS told
    JOIN {table} AS stands ON stands.id = told.first ORDER BY told.id
"""


def _examples(imported: Import, at: datetime, kind: Kind) -> Iterator[ImportExample]:
    statement = SQL(_EXAMPLES).format(
        called=SQL(kind.name), of_trial=SQL(_OF_TRIAL), limit=Literal(EXAMPLES), table=kind.identifier
    )
    for row_id, name, *texts in rows(statement, run=imported.pk, at=at, table=kind.table):
        before, after = map(json.loads, texts)
        yield ImportExample(run=imported, noun=kind.noun, row_id=row_id, name=name, before=before, after=after)


def _labels(kind: Kind) -> dict[str, str]:
    """What people call the columns, and the custom fields among the attributes."""
    own = {str(field.column): str(field.verbose_name).capitalize() for field in kind.fields()}
    custom = CustomField.objects.filter(about=kind.noun if kind.noun == "customer" else "contact")
    return own | {_ATTRIBUTE + field.key: field.label for field in custom}


def _bare(name: str) -> str:
    return name.removeprefix(_ATTRIBUTE)


def _flat(told: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in told.items():
        if name == "attributes":
            yield from ((_ATTRIBUTE + key, one) for key, one in value.items())
        else:
            yield name, value


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, str) and (instant := _instant(value)):
        return formats.date_format(timezone.localtime(instant), "j M Y, H:i")
    return "" if value is None else str(value)


def _instant(text: str) -> Any:
    try:
        instant = parse_datetime(text)
    except ValueError:
        return None
    return instant if instant and instant.tzinfo else None
