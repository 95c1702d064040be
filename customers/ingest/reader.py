"""Reading delimited text of any size, a record at a time, in bounded memory.

Every line of the file belongs to exactly one record, and every record is either read or refused with a reason. A record
that cannot be read costs one line: reading goes on with the line after its first one, so that an unclosed quote does
not swallow what follows. Only where nothing further can be read at all is the file itself refused.
"""

import csv
import gzip
import os
import zlib
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from itertools import chain, count, islice
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

T = TypeVar("T")
RECORD_LIMIT = 1_000_000  # bytes of one record, with all its lines
ORIGINAL_LIMIT = 2_000  # characters kept of a refused record
BLOCK = 1 << 18
# What a gzip file may unpack to: no table of customers shrinks to less than a two-hundredth.
UNPACKED_TIMES, UNPACKED_ANYWAY = 200, 16 << 30
OPENING = 1 << 16  # bytes that show how a file is written
LOOKED_AT = 1 << 20  # bytes in which letters beyond ASCII are looked for
ENCODINGS = {"utf-8": "UTF-8", "latin-1": "Latin-1 (ISO 8859-1)", "cp1252": "Windows-1252"}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "whitespace": ""}
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # which spreadsheets write as “Unicode text”
_JSON = "JSON: export a CSV file instead, or send its rows by the API"
# What files that are no delimited text begin with.
FOREIGN = {
    b"PK\x03\x04": "a spreadsheet or zip file: save it as CSV and bring that",
    b'{"': _JSON,
    b'["': _JSON,
    b"[{": _JSON,
}

csv.field_size_limit(RECORD_LIMIT)  # for the whole process; the module's own default is 131,072


class FileRefused(Exception):
    """The file cannot be read, or no further; the text says where, why, and what to do."""


class _Unreadable(Exception):
    """The record at hand cannot be read."""


class Record(NamedTuple):
    """One record: the line it begins on (from 1), and its values, or why it has none."""

    line: int
    values: list[str]
    refusal: str = ""


_record = partial(tuple.__new__, Record)  # in half the time: there is one for each line of a file


@dataclass(frozen=True)
class Layout:
    """How a file is written. `columns` names the columns of a file that has no header line."""

    delimiter: str = "comma"
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()


class Reader:
    """The records of one file. Iterate once; `columns` are known from the start. Close it, or use it with `with`.

    `record_text()` is the original text of the record last given out.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self._file = path.open("rb")
        self._bytes = max(path.stat().st_size, 1)
        self._layout = layout
        self._blocks = _line_blocks(_blocks(_unpacked(self._file), self._where))
        self._again: deque[bytes] = deque()
        self._held: list[bytes] = []
        self._line = 0
        self._width = len(layout.columns)
        self._records = self._read()
        self.columns = layout.columns or self._header()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Record]:
        return self._records

    @property
    def share_read(self) -> float:
        """How much of the file has been read, 0–1."""
        return self._file.tell() / self._bytes

    def record_text(self) -> str:
        """As it stands in the file, line ends stripped; a long one is cut and says so."""
        whole = b"".join(self._held).rstrip(b"\r\n")
        text = whole[: 4 * ORIGINAL_LIMIT].decode(self._layout.encoding, errors="replace").replace("\0", "␀")
        if len(text) <= ORIGINAL_LIMIT:
            return text
        return f"{text[:ORIGINAL_LIMIT]} … (cut after {ORIGINAL_LIMIT:,} characters)"

    def _where(self) -> int:
        return self._line + len(self._held)

    def _header(self) -> tuple[str, ...]:
        first = next(self._records, None)
        if first is None:
            raise FileRefused("The file is empty.")
        if first.refusal:
            raise FileRefused(f"The header in line {first.line:,} cannot be read: {first.refusal}")
        names = distinct(first.values)
        self._width = len(names)
        return names

    def _read(self) -> Iterator[Record]:
        """A block at once, in a fraction of the time, where each of its lines is a record; line by line where not."""
        for block in self._blocks:
            read = self._each_a_record(block)
            if read is None:
                self._again.extend(block)
                yield from self._line_by_line()
            else:
                yield from self._records_of(block, read)

    def _each_a_record(self, block: list[bytes]) -> list[list[str]] | None:
        """The values of each line; None where one is no record by itself."""
        text = b"".join(block)
        if len(text) > RECORD_LIMIT or b"\0" in text:
            return None
        try:
            read = list(self._parsed([line.decode(self._layout.encoding) for line in block]))
        except (csv.Error, UnicodeDecodeError):
            return None
        return read if len(read) == len(block) else None

    def _records_of(self, block: list[bytes], read: list[list[str]]) -> Iterator[Record]:
        first = self._line + 1
        for line, raw, values in zip(range(first, first + len(block)), block, read, strict=True):
            self._held = [raw]
            if values:
                yield _record((line, values, "")) if len(values) == self._width else self._ill_fitting(line, values)
        self._line += len(block)
        self._held = []

    def _ill_fitting(self, line: int, values: list[str]) -> Record:
        try:
            return Record(line, self._fitted(values))
        except _Unreadable as error:
            return Record(line, [], _in_words(error))

    def _line_by_line(self) -> Iterator[Record]:
        """Records of the lines that wait, to the end of the one that the last of them belongs to."""
        held = self._held
        while self._again:
            try:
                for values in self._parsed(self._text()):
                    if values:
                        yield Record(self._line + 1, values if len(values) == self._width else self._fitted(values))
                    self._line += len(held)
                    held.clear()
                    if not self._again:
                        break
            except (csv.Error, _Unreadable) as error:
                self._again.extendleft(reversed(held[1:]))
                del held[1:]
                yield Record(self._line + 1, [], _in_words(error))
                self._line += 1
                held.clear()

    def _parsed(self, lines: Iterable[str]) -> Iterator[list[str]]:
        delimiter = DELIMITERS[self._layout.delimiter]
        return csv.reader(lines, delimiter=delimiter, strict=True) if delimiter else map(str.split, lines)

    def _fitted(self, values: list[str]) -> list[str]:
        """The values, one for each column. Empty ones too many at the end are let go."""
        if not self._width:  # the header line itself
            return values
        if len(values) > self._width and not any(values[self._width :]):
            return values[: self._width]
        raise _Unreadable(f"It has {len(values):,} values, and the file {self._width:,} columns.")

    def _text(self) -> Iterator[str]:
        """Lines for the parser, each also held until its record is done."""
        held, encoding = self._held, self._layout.encoding
        size = 0
        while raw := self._next_line():
            held.append(raw)
            size = len(raw) if len(held) == 1 else size + len(raw)
            if size > RECORD_LIMIT:
                raise _Unreadable(f"It is longer than {RECORD_LIMIT:,} bytes.")
            if b"\0" in raw:
                raise _Unreadable("It holds a NUL character.")
            try:
                yield raw.decode(encoding)
            except UnicodeDecodeError as error:
                raise self._wrong_encoding(error) from error

    def _next_line(self) -> bytes:
        if not self._again:
            self._again.extend(next(self._blocks, []))
        return self._again.popleft() if self._again else b""

    def _wrong_encoding(self, error: UnicodeDecodeError) -> FileRefused:
        advice = " Say that it is Latin-1 if it is." if self._layout.encoding == "utf-8" else ""
        return FileRefused(
            f"Line {self._where():,} is not {ENCODINGS[self._layout.encoding]}: "
            f"byte 0x{error.object[error.start]:02X} at position {error.start + 1:,}.{advice}"
        )


def is_really_utf8(path: Path, encoding: str) -> bool:
    """Whether a file that is said to be written otherwise holds letters that UTF-8 writes, and nothing it does not.

    Bytes of another encoding are hardly ever valid UTF-8. Read as the other, its letters would come in garbled: “Ã¶”.
    """
    if encoding == "utf-8":
        return False
    with path.open("rb") as file:
        text = b"".join(islice(_blocks(_unpacked(file), lambda: 0), LOOKED_AT // BLOCK + 1))
    try:
        getincrementaldecoder("utf-8")().decode(text)  # the last letter may be cut off
    except UnicodeDecodeError:
        return False
    return not text.isascii()


def opening_lines(path: Path, encoding: str, most: int = 50) -> list[str]:
    """The first lines of a file that are not blank, whatever is in them. Raises FileRefused where it is no text."""
    with path.open("rb") as file:
        block = b"".join(islice(_blocks(_unpacked(file), lambda: 0), 2))
    lines = block[:OPENING].decode(encoding, errors="replace").splitlines(keepends=True)
    # The last may be cut off.
    return [line for line in (lines[:-1] or lines) if line.strip()][:most]


def distinct(names: list[str]) -> tuple[str, ...]:
    """Column names, stripped; one that comes again is numbered ("Phone (2)"), one without a name has its place's."""
    taken: set[str] = set()
    result = []
    for place, name in enumerate(names, 1):
        plain = name.strip() or f"Column {place}"
        numbered = (plain if nth == 1 else f"{plain} ({nth})" for nth in count(1))
        fresh = next(candidate for candidate in numbered if candidate not in taken)
        taken.add(fresh)
        result.append(fresh)
    return tuple(result)


class _FromUtf16:
    """A file of UTF-16, read as UTF-8."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._decoder = getincrementaldecoder("utf-16")()

    def read(self, _size: int) -> bytes:
        """What there is first. No text begins with as little as is asked for."""
        return self.read1(BLOCK)

    def read1(self, size: int) -> bytes:
        while raw := self._file.read1(size):
            if text := self._decoder.decode(raw):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode()


def _unpacked(file: BufferedReader) -> BufferedReader | gzip.GzipFile | _FromUtf16:
    """The file's text as UTF-8 or whatever it is written in: unpacked where it is gzip.

    Raises FileRefused where it is no text.
    """
    start = file.peek(4)[:4]
    for sign, what in FOREIGN.items():
        if start.startswith(sign):
            raise FileRefused(f"This is {what}.")
    if start[:2] in UTF16_MARKS:
        return _FromUtf16(file)
    return gzip.GzipFile(fileobj=file) if start.startswith(b"\x1f\x8b") else file


def whole_lines(path: Path) -> Iterator[bytes]:
    """The text of a file in large pieces of whole lines, each with a line feed at its end and no other line end.

    Raises FileRefused where lines end otherwise, where one is too long, and where the file is no text or damaged.
    """
    with path.open("rb") as file:
        yield from ahead(_pieces(_blocks(_unpacked(file), lambda: 0)))


def _pieces(blocks: Iterator[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    for block in chain(blocks, [b""]):
        parts.append(block)
        if block and sum(map(len, parts)) < RECORD_LIMIT:
            continue
        text = b"".join(parts)
        piece, end, rest = text.rpartition(b"\n")
        if len(rest) > RECORD_LIMIT or (b"\r" in text and _ends_lines_with_cr(text)):
            raise FileRefused("Its lines do not all end with a line feed.")
        if piece := piece + end if block else b"".join([text, b"\n" if rest else b""]):
            yield piece
        parts = [rest]


def _ends_lines_with_cr(text: bytes) -> bool:
    """Whether a CR stands alone, but for a last one, which may be half of a CRLF."""
    return text.count(b"\r") != text.count(b"\r\n") + text.endswith(b"\r")


def ahead(blocks: Iterator[T]) -> Iterator[T]:
    """The same, each made by a thread of its own while the one before it is used."""
    with ThreadPoolExecutor(1) as reading:
        upcoming = reading.submit(next, blocks, None)
        while (block := upcoming.result()) is not None:
            upcoming = reading.submit(next, blocks, None)
            yield block


def _line_blocks(blocks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines with their ends (LF, CRLF or CR); one that is too long is cut just past RECORD_LIMIT bytes."""
    rest = b""
    for block in blocks:
        if len(rest) > RECORD_LIMIT and not rest.endswith(b"\r") and b"\n" not in block and b"\r" not in block:
            continue  # more of a line that is too long already
        lines = (rest + block).splitlines(keepends=True)
        # The last may go on in the next block, and a CR may be half of a CRLF.
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if lines:
            yield lines
        if len(rest) > RECORD_LIMIT:
            rest = rest[: RECORD_LIMIT + 1] + (b"\r" if rest.endswith(b"\r") else b"")
    if rest:
        yield [rest]


def _blocks(file: BufferedReader | gzip.GzipFile | _FromUtf16, where: Callable[[], int]) -> Iterator[bytes]:
    try:
        # A whole mark may be needed at once; after it, whatever can be had: a broken file's last good lines too.
        yield file.read(len(UTF8_MARK)).removeprefix(UTF8_MARK)
        while block := file.read1(BLOCK):
            _check_size(file)
            yield block
    except UnicodeDecodeError as error:
        raise FileRefused(f"This is UTF-16 text, and damaged after line {where():,}. Save it as UTF-8.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        how = "ends too early" if isinstance(error, EOFError) else "is damaged"
        raise FileRefused(
            f"The gzip file {how}, after line {where():,}: it was probably cut off on its way. Fetch it again."
        ) from error


def _check_size(file: BufferedReader | gzip.GzipFile | _FromUtf16) -> None:
    """Refuse what would fill the disk: a small file that unpacks to no end."""
    if not isinstance(file, gzip.GzipFile) or file.tell() <= UNPACKED_ANYWAY:
        return
    if file.tell() > UNPACKED_TIMES * os.fstat(file.fileno()).st_size:
        raise FileRefused(
            f"The gzip file unpacks to more than {UNPACKED_TIMES} times its size, which no list of customers does. "
            "Unpack it and look what is in it."
        )


def _in_words(error: Exception) -> str:
    if isinstance(error, _Unreadable):
        return str(error)
    if "unexpected end" in str(error):
        return "A quotation mark is opened here and never closed."
    if "expected after" in str(error):
        return "A quotation mark stands where none can: quotes inside a quoted value are written twice."
    return f"It cannot be read: {error}."
