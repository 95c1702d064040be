"""What a mapping makes of a file's first rows, before anything is brought in: the same staging, taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import formats, timezone
from psycopg.sql import SQL, Identifier

from customers.ingest.fields import targets
from customers.ingest.mapping import Mapping
from customers.ingest.reader import Layout, Reader, Record, is_really_utf8
from customers.ingest.staging import stage

ROWS = 8


@dataclass(frozen=True)
class Sample:
    """The first rows of a file as they stand, and whether it is UTF-8 though it is said not to be."""

    columns: tuple[str, ...]
    rows: list[Record]
    is_garbled: bool


@dataclass(frozen=True)
class Preview:
    """The first rows of a file as they would come in: line, cells in the order of `heads`, or a refusal."""

    heads: list[str]
    rows: list[tuple[int, list[str], str]]


def sample(path: Path, layout: Layout) -> Sample:
    """The first rows. Raises FileRefused."""
    with Reader(path, layout) as reader:
        return Sample(tuple(reader.columns), list(islice(reader, ROWS)), is_really_utf8(path, layout.encoding))


def preview(first: Sample, mapping: Mapping, zone: str) -> Preview:
    """What a mapping that was checked makes of the first rows."""
    heads = {field.name: field.label for field in targets(mapping.kind) if field.name in mapping.fields}
    if mapping.states:
        heads["state"] = "State"
    with transaction.atomic():
        stage(first.rows, first.columns, mapping, zone, lambda _: None, apart=())
        rows = _staged(list(heads))
        transaction.set_rollback(True)
    return Preview(list(heads.values()), rows)


def _staged(names: Sequence[str]) -> list[tuple[int, list[str], str]]:
    columns = SQL(", ").join(map(Identifier, names))
    with connection.cursor() as cursor:
        cursor.execute(SQL("SELECT line, refusal, {} FROM import_rows ORDER BY line").format(columns))
        return [(line, list(map(_cell, values)), refusal or "") for line, refusal, *values in cursor.fetchall()]


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "j M Y, H:i")
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
