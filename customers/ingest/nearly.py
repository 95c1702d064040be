"""A large file of customers that is nearly the last one read in the same way: only the lines that differ are judged.

Where each line is a record, and each record about a customer of its own, what a line does depends on no other line. One
that was there before changes nothing, as long as nobody has written its customer since. So lines are compared as bytes:
those that came in, and those of customers who were written since, are staged as a file of their own. Whatever is not
quite so (a repeated customer, a refused row, a record of several lines, a large difference) is left to the whole
comparison.
"""

import csv
import tempfile
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

from customers.ingest import staging, unchanged
from customers.ingest.fields import BY_ID
from customers.ingest.mapping import Mapping, check
from customers.ingest.reader import DELIMITERS, FileRefused, Layout, Reader, line_blocks
from customers.ingest.statements import number, rows
from customers.ingest.unchanged import Told
from customers.models import Import
from customers.models.imports import ImportKind

MOST = 100_000  # lines that differ and customers written since, which are held in memory


class Staged(NamedTuple):
    """How many rows the whole file has, how many of them are refused and how many not staged, and its columns."""

    rows: int
    rejected: int
    kept: int
    columns: tuple[str, ...]


class _NotNearly(Exception):
    """The files differ in more than some lines."""


class _Difference(NamedTuple):
    """Lines that only the one and only the other file has, or that are to be judged again; and how many both have."""

    told: set[bytes]
    gone: set[bytes]
    kept: int


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
    touched = unchanged.touched(before.mark, MOST) if before else None
    if before is None or touched is None:
        return None
    try:
        return _stage(Path(imported.file.path), before, mapping, touched, zone)
    except (_NotNearly, FileRefused, OSError):
        return None


def _stage(path: Path, before: Import, mapping: Mapping, touched: set[str], zone: str) -> Staged:
    with Reader(path, mapping.layout) as reader:
        columns = reader.columns
    check(mapping, columns)
    place = columns.index(mapping.fields[BY_ID].column)
    ours, theirs = _Lines(path, mapping.layout), _Lines(Path(before.file.path), mapping.layout)
    if ours.header != theirs.header:
        raise _NotNearly
    told, gone, kept = _difference(ours, theirs, touched, place)
    # As many lines as records: then each was one.
    if theirs.count != before.mark["summary"]["rows"] or ours.count != kept + len(told):
        raise _NotNearly
    _stage_lines(ours.header, gone, mapping, zone)
    were = [name for (name,) in rows("SELECT customer_id FROM import_rows")]
    _stage_lines(ours.header, told, mapping, zone)
    if number(_OTHERS, were=were):
        raise _NotNearly
    return Staged(ours.count, 0, kept, columns)


# Customers who are there and were in no line that is gone may be in one that was kept.
_OTHERS = """
    SELECT count(*) FROM import_rows AS told JOIN customers_customer AS stands ON stands.external_id = told.customer_id
    WHERE told.customer_id <> ALL(%(were)s::text[])
"""


def _stage_lines(header: bytes, lines: set[bytes], mapping: Mapping, zone: str) -> None:
    """Stage lines as a file of their own; each must be a record that is taken."""
    with tempfile.NamedTemporaryFile() as file:
        file.writelines([header, *(line if line.endswith((b"\n", b"\r")) else line + b"\n" for line in lines)])
        file.flush()
        with Reader(Path(file.name), mapping.layout) as reader:
            staged = staging.stage(reader, reader.columns, mapping, zone, lambda _: None)
    if staged != len(lines) or staging.refusals():
        raise _NotNearly


class _Lines:
    """The lines of a file after its header, many at a time; counted."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.layout = layout
        self.count = 0
        blocks = line_blocks(path)
        first = next(blocks, [])
        self.header = b"" if layout.columns else b"".join(first[:1])
        self._blocks = chain([first if layout.columns else first[1:]], blocks)

    def __iter__(self) -> Iterator[list[bytes]]:
        for block in self._blocks:
            self.count += len(block)
            yield block

    def of(self, block: list[bytes], touched: set[str], place: int) -> set[bytes]:
        """The lines of a block that name one of the touched customers in this place."""
        if not touched:
            return set()
        texts = [line.decode(self.layout.encoding) for line in block]
        delimiter = DELIMITERS[self.layout.delimiter]
        read = csv.reader(texts, delimiter=delimiter, strict=True) if delimiter else map(str.split, texts)
        pairs = zip(block, read, strict=True)
        return {line for line, values in pairs if values[place].strip(staging.BLANKS) in touched}


def _difference(ours: _Lines, theirs: _Lines, touched: set[str], place: int) -> _Difference:
    """Compared block by block; what was moved is found as long as not too much lies between."""
    told: set[bytes] = set()
    gone: set[bytes] = set()
    again: set[bytes] = set()
    kept = 0
    nothing: list[bytes] = []
    for ours_now, theirs_now in zip_longest(ours, theirs, fillvalue=nothing):
        try:
            now = ours.of(ours_now, touched, place)
        except (csv.Error, ValueError, IndexError) as error:  # records of several lines, another encoding, too short
            raise _NotNearly from error
        if ours_now == theirs_now and not now:
            kept += len(ours_now)
            continue
        again |= now
        told.update(ours_now)
        gone.update(theirs_now)
        same = (told.intersection(theirs_now) | gone.intersection(ours_now)) - again
        told -= same
        gone -= same
        kept += len(same)
        if len(told) + len(gone) > MOST:
            raise _NotNearly
    return _Difference(told, gone, kept)
