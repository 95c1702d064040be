"""A large file of customers that is nearly the last one read in the same way: only the lines that differ are judged.

Where each line is a record, and each record about a customer of its own, what a line does depends on no other line. One
that was there before changes nothing, as long as nobody has written its customer since. So lines are compared as bytes:
those that came in, and those of customers who were written since, are staged as a file of their own. Whatever is not
quite so (a repeated customer, a refused row, a record of several lines, a large difference) is left to the whole
comparison.
"""

import csv
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from customers.ingest import differing, staging, unchanged
from customers.ingest.differing import Lines, TooDifferent, difference
from customers.ingest.fields import BY_ID
from customers.ingest.mapping import Mapping, check
from customers.ingest.reader import DELIMITERS, FileRefused, Layout, Reader
from customers.ingest.statements import number
from customers.ingest.unchanged import Told
from customers.models import Import
from customers.models.imports import ImportKind

FEW = 20  # names that are looked for one after the other


class Staged(NamedTuple):
    """How many rows the whole file has, how many of them are refused and how many not staged, and its columns."""

    rows: int
    rejected: int
    kept: int
    columns: tuple[str, ...]


class _NotNearly(Exception):
    """All of it is to be compared."""


def is_possible(mapping: Mapping, told: Told) -> bool:
    """Whether a file was read in this way before, and each of its rows names its customer by the text of one column."""
    column = mapping.fields[BY_ID].column if BY_ID in mapping.fields else ""
    if mapping.kind != ImportKind.CUSTOMERS or mapping.match != BY_ID or not column:
        return False
    return column not in (*mapping.whole_numbers, *mapping.first_of) and unchanged.latest(mapping, told) is not None


def stage(imported: Import, mapping: Mapping, told: Told, zone: str) -> Staged | None:
    """Stage what the file says that the one before did not; None where all of it is to be compared.

    To be asked in the transaction of the merge, in which nobody takes an import back.
    """
    before = unchanged.latest(mapping, told)
    touched = unchanged.touched(before.mark, differing.MOST) if before else None
    if before is None or touched is None:
        return None
    try:
        return _stage(Path(imported.file.path), before, mapping, touched, zone)
    except (_NotNearly, TooDifferent, FileRefused, OSError):
        return None


def _stage(path: Path, before: Import, mapping: Mapping, touched: set[str], zone: str) -> Staged:
    with Reader(path, mapping.layout) as reader:
        columns = reader.columns
    check(mapping, columns)
    place = columns.index(mapping.fields[BY_ID].column)
    files = (path, Path(before.file.path))
    ours, theirs = (Lines(file, has_header=not mapping.layout.columns) for file in files)
    if ours.header != theirs.header:
        raise _NotNearly
    naming = _Naming(touched, mapping.layout, place)
    told, gone, kept = difference(ours, theirs, naming)
    # As many lines as records: then each was one.
    if theirs.count != before.mark["summary"]["rows"] or ours.count != kept + len(told):
        raise _NotNearly
    _stage_lines(ours.header, told, mapping, zone)
    if number(_OTHERS, were=naming.named(gone)):
        raise _NotNearly
    return Staged(ours.count, 0, kept, columns)


# Customers who are there and were in no line that is gone may be in one that was kept.
_OTHERS = """
    SELECT count(*) FROM import_rows AS told JOIN customers_customer AS stands ON stands.external_id = told.customer_id
    WHERE told.customer_id <> ALL(%(were)s::text[]) AND NOT EXISTS (
        SELECT FROM customers_formerid AS former
        WHERE former.customer_id = stands.id AND former.external_id = ANY(%(were)s::text[]))
"""


def _stage_lines(header: bytes, lines: set[bytes], mapping: Mapping, zone: str) -> None:
    """Stage lines as a file of their own; each must be a record that is taken."""
    with tempfile.NamedTemporaryFile() as file:
        file.writelines([header, *lines])
        file.flush()
        with Reader(Path(file.name), mapping.layout) as reader:
            staged = staging.stage(reader, reader.columns, mapping, zone, lambda _: None)
    if staged != len(lines) or staging.refusals():
        raise _NotNearly


class _Naming:
    """Finds the lines of a text that name one of these customers in this place. Raises _NotNearly where it cannot."""

    def __init__(self, names: set[str], layout: Layout, place: int) -> None:
        self._names, self._layout, self._place = names, layout, place
        # Quotes are written twice. Anything else stands in a line as it is.
        self._few = len(names) <= FEW and all(name and '"' not in name for name in names)
        self._signs = [name.encode(layout.encoding, errors="replace") for name in names]

    def __call__(self, text: bytes) -> set[bytes]:
        if not self._names:
            return set()
        lines = self._with_signs(text) if self._few else text.splitlines(keepends=True)
        return {line for line, name in zip(lines, self.named(lines), strict=True) if name in self._names}

    def named(self, lines: Collection[bytes]) -> list[str]:
        """Whom each line names."""
        try:
            return [values[self._place].strip(staging.BLANKS) for values in self._read(lines)]
        except (csv.Error, ValueError, IndexError) as error:  # records of several lines, another encoding, too short
            raise _NotNearly from error

    def _with_signs(self, text: bytes) -> list[bytes]:
        """The lines in which one of the names stands somewhere."""
        found = []
        for sign in self._signs:
            at = text.find(sign)
            while at >= 0:
                end = text.index(b"\n", at) + 1
                found.append(text[text.rfind(b"\n", 0, at) + 1 : end])
                at = text.find(sign, end)
        return found

    def _read(self, lines: Collection[bytes]) -> Iterator[list[str]]:
        """The values of each line. Raises ValueError where one is no record by itself."""
        texts = [line.decode(self._layout.encoding) for line in lines]
        delimiter = DELIMITERS[self._layout.delimiter]
        read = csv.reader(texts, delimiter=delimiter, strict=True) if delimiter else map(str.split, texts)
        for _, values in zip(texts, read, strict=True):
            yield values
