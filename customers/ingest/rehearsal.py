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

from customers.custom import values
from customers.custom.definitions import every
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


def told(examples: Iterable[ImportExample], currency: str) -> list[tuple[ImportExample, list[Difference]]]:
    """Each example with its fields that would change, as people read them."""
    shown = list(examples)
    nouns = {one.noun for one in shown}
    kinds = {kind.noun: (_own(kind), _custom(kind)) for kind in KINDS if kind.noun in nouns}
    return [(one, list(_differences(one, *kinds[one.noun], currency))) for one in shown]


def _differences(
    example: ImportExample, own: dict[str, str], custom: dict[str, CustomField], currency: str
) -> Iterator[Difference]:
    before, after = dict(_flat(example.before)), dict(_flat(example.after))
    for name in {**before, **after}:
        if name not in _UNSAID and before.get(name) != after.get(name):
            field = custom.get(name)
            said = [_said(value, field, currency) for value in (before.get(name), after.get(name))]
            yield Difference(field.label if field else own.get(name, _bare(name)), *said)


def _counted(imported: Import, at: datetime, kind: Kind) -> Iterator[tuple[str, int]]:
    labels = _own(kind) | {name: field.label for name, field in _custom(kind).items()}
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


def _own(kind: Kind) -> dict[str, str]:
    """What people call the columns."""
    return {str(field.column): str(field.verbose_name).capitalize() for field in kind.fields()}


def _custom(kind: Kind) -> dict[str, CustomField]:
    """The custom fields among the attributes."""
    fields = every(CustomField.About.CUSTOMER if kind.noun == "customer" else CustomField.About.CONTACT)
    return {_ATTRIBUTE + field.key: field for field in fields}


def _bare(name: str) -> str:
    return name.removeprefix(_ATTRIBUTE)


def _flat(told: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in told.items():
        if name == "attributes":
            yield from ((_ATTRIBUTE + key, one) for key, one in value.items())
        else:
            yield name, value


def _said(value: Any, field: CustomField | None, currency: str) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if field and isinstance(value, int | float):
        return values.text(field, value, currency)
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
