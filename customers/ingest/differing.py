"""Two files compared as bytes: the lines that only one of them has.

What both say alike is found without being taken apart. At a difference some lines of each tell where they go on alike;
lines that were moved farther are matched afterwards. How well that is guessed decides how long it takes, never what
comes out: a line counts as kept only where both files have it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from customers.ingest.reader import whole_lines

MOST = 100_000  # lines that differ, which are held in memory
WINDOWS = (1 << 9, 1 << 13)  # bytes of lines in which two files are looked at for where they go on alike
FIRST_STEP = 1 << 9  # bytes that are compared at once, at first

Apart = Callable[[bytes], set[bytes]]


class TooDifferent(Exception):
    """More lines differ than are held in memory."""


class Difference(NamedTuple):
    """Lines that only the one and only the other file has, or that are to be judged again; and how many both have."""

    told: set[bytes]
    gone: set[bytes]
    kept: int


class Lines:
    """A file's lines behind its header, of which so many bytes can be looked at and taken; counted.

    Each ends with a line feed. Raises FileRefused where that is not how the file's lines end.
    """

    def __init__(self, path: Path, *, has_header: bool) -> None:
        self._blocks = whole_lines(path)
        self.count = 0
        self.text = b""
        self.at = 0
        self.header = b""
        if has_header and self.more():
            self.header = self.take(self.text.index(b"\n") + 1)
            self.count = 0

    def more(self) -> bool:
        """Whether there is more, which is then at hand."""
        if self.at == len(self.text):
            self.text, self.at = next(self._blocks, b""), 0
        return bool(self.text)

    def take(self, size: int) -> bytes:
        """The next `size` bytes of what is at hand: whole lines."""
        taken = self.text[self.at : self.at + size]
        self.at += size
        self.count += taken.count(b"\n")
        return taken

    def window(self, size: int) -> list[bytes]:
        """The next few lines of what is at hand, one at least."""
        end = self.text.rfind(b"\n", self.at, self.at + size) + 1 or self.text.index(b"\n", self.at) + 1
        return self.text[self.at : end].splitlines(keepends=True)


def difference(ours: Lines, theirs: Lines, apart: Apart) -> Difference:
    """How `ours` differs from `theirs`. Of lines of both those that `apart` finds in a text count as of each alone.

    Raises TooDifferent, and whatever `apart` does.
    """
    told: set[bytes] = set()
    gone: set[bytes] = set()
    kept = 0
    while ours.more() and theirs.more():
        if size := _alike(ours, theirs):
            theirs.take(size)
            text = ours.take(size)
            again = apart(text)
            told |= again
            gone |= again
            kept += text.count(b"\n") - len(again)
        else:
            mine, other = _until_alike(ours, theirs)
            told.update(_taken(ours, mine))
            gone.update(_taken(theirs, other))
        if len(told) + len(gone) > 2 * MOST:
            kept += _match(told, gone, apart)
    for lines, rest in ((ours, told), (theirs, gone)):
        while lines.more():
            rest.update(_taken(lines, lines.window(WINDOWS[-1])))
            if len(told) + len(gone) > 2 * MOST:
                kept += _match(told, gone, apart)
    return Difference(told, gone, kept + _match(told, gone, apart))


def _taken(lines: Lines, some: list[bytes]) -> list[bytes]:
    lines.take(sum(map(len, some)))
    return some


def _match(told: set[bytes], gone: set[bytes], apart: Apart) -> int:
    """Take out of both what was only moved; returns how many lines. Raises TooDifferent where too much is left."""
    moved = told & gone
    moved -= apart(b"".join(moved))
    told -= moved
    gone -= moved
    if len(told) + len(gone) > MOST:
        raise TooDifferent
    return len(moved)


def _alike(ours: Lines, theirs: Lines) -> int:
    """How many bytes at hand of both are the same lines: by steps that grow, to where they differ."""
    most = min(len(ours.text) - ours.at, len(theirs.text) - theirs.at)
    size, step = 0, FIRST_STEP
    while size < most:
        end = min(size + step, most)
        mine, other = ours.text[ours.at + size : ours.at + end], theirs.text[theirs.at + size : theirs.at + end]
        if mine != other:
            size += _first_difference(mine, other)
            break
        size, step = end, 2 * step
    return max(0, ours.text.rfind(b"\n", ours.at, ours.at + size) + 1 - ours.at)


def _first_difference(mine: bytes, other: bytes) -> int:
    """The place of the first byte in which they differ, as they do; both are of one length.

    As numbers, of which the first byte is the least: the lowest bit that only one of them has.
    """
    apart = int.from_bytes(mine, "little") ^ int.from_bytes(other, "little")
    return ((apart & -apart).bit_length() - 1) // 8


def _until_alike(ours: Lines, theirs: Lines) -> tuple[list[bytes], list[bytes]]:
    """The next lines of each before the first of ours that the other has too; all that were looked at without one."""
    for size in WINDOWS:
        mine, other = ours.window(size), theirs.window(size)
        places = {line: place for place, line in reversed(list(enumerate(other)))}
        for place, line in enumerate(mine):
            if line in places:
                return mine[:place], other[: places[line]]
    return mine, other
