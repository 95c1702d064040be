"""Where a text has the words that somebody looked for, so that a page can mark them. Text in, text out: never HTML."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from retention.common.text_search import folded

BEFORE, LENGTH = 40, 160


def spans(text: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """From where to where some word of the text begins with one of the words, which are folded. In order."""
    if not words:
        return
    plain, places = _folded(text)
    for found in _beginning(*words).finditer(plain):
        yield places[found.start()], places[found.end() - 1] + 1


@lru_cache(maxsize=256)
def _beginning(*words: str) -> re.Pattern[str]:
    """Where a word begins with one of these. A page asks for the same ones of each of its lines."""
    return re.compile(_pattern(words))


@lru_cache(maxsize=256)
def in_ascii(*words: str) -> re.Pattern[str]:
    """The same in a text that is ASCII and not folded."""
    return re.compile(_pattern(words), re.IGNORECASE)


def _pattern(words: Sequence[str]) -> str:
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return rf"(?<![^\W_])(?:{either})"


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text folded, and where in the text each of its letters stands."""
    if text.isascii():
        return text.lower(), range(len(text))
    letters = {letter: folded(letter) for letter in set(text)}
    plain = "".join(map(letters.__getitem__, text))
    if all(len(letter) == 1 for letter in letters.values()):
        return plain, range(len(text))
    return plain, [place for place, letter in enumerate(text) for _ in letters[letter]]


def around(text: str, words: Sequence[str]) -> str:
    """A part of a long text with the first word that was looked for, in one line."""
    line = " ".join(text.split())
    first = next((start for start, _ in spans(line, words)), 0)
    start = 0 if first <= BEFORE else line.rfind(" ", 0, first - BEFORE) + 1
    end = len(line) if len(line) <= start + LENGTH else line.rfind(" ", start, start + LENGTH)
    end = end if end > first else start + LENGTH
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"


def has_all(text: str, words: Sequence[str]) -> bool:
    """Whether the text has, for each of the words, a word that begins with it."""
    plain, _ = _folded(text)
    return all(_beginning(word).search(plain) for word in words)
