"""Finding phone numbers by what people have of them: their last digits, or the number as it is dialled at home.

A number is compared by its digits alone, read from the end, so that the country's code and the zero that stands for it
at home make no difference, and an index of beginnings finds endings.
"""

import re
from typing import Any

import phonenumbers
from django.db.models import F, Func, Index, Q, QuerySet, Subquery, TextField

from retention.common.text_search import SearchWords
from retention.common.word_index import Among, every, few

#: Fewer digits than these end too many numbers.
FEWEST = 4
_NUMBER = re.compile(r"[\d\s()+./-]+", re.ASCII)
_NO_DIGIT = re.compile(r"[^0-9]+")


class FromTheEnd(Func):
    """The digits of a text column, the last first."""

    template = """(reverse(regexp_replace(%(expressions)s, '[^0-9]', '', 'g')) COLLATE "C")"""
    output_field: Any = TextField()


def ending_index(name: str, column: str) -> Index:
    """The index that a model needs for its numbers to be found by their ends."""
    return Index(FromTheEnd(column), name=name, condition=~Q(**{column: ""}))


def typed_digits(typed: str) -> str:
    """The digits that a number ends with wherever it is dialled from, or "" where what was typed is none, or too short.

    They are what follows the country's code, or the zeros before it.
    """
    if not _NUMBER.fullmatch(typed):
        return ""
    wanted = _abroad(typed) or _NO_DIGIT.sub("", typed).lstrip("0")
    return wanted if len(wanted) >= FEWEST else ""


def _abroad(typed: str) -> str:
    international = re.sub(r"^\s*\(?00", "+", typed).strip()
    if not international.startswith("+"):
        return ""
    try:
        return str(phonenumbers.parse(international).national_number)
    except phonenumbers.NumberParseException:
        return ""


def begun(typed: str) -> str:
    """The digits of a number typed in groups, as one word: numbers kept without spaces begin with it. "" of no such."""
    groups = _NO_DIGIT.sub(" ", typed).split() if _NUMBER.fullmatch(typed) else []
    return "".join(groups).lstrip("0") if len(groups) > 1 else ""


def is_number(number: str, typed: str) -> bool:
    """Whether a number ends with what was typed, or begins with it."""
    kept, end, start = _NO_DIGIT.sub("", number), typed_digits(typed), begun(typed)
    return bool((end and kept.endswith(end)) or (start and kept.startswith(start)))


def few_with(rows: QuerySet[Any], column: str, words: SearchWords, typed: str, most: int) -> Q:
    """A filter for some rows whose number was typed, or a part of it, `most` at most of each; an empty one, of text.

    `words` are those of the word index. One query, where the number was typed in groups.
    """
    found = Q()
    if end := typed_digits(typed):
        found |= Q(Among(F("pk"), Subquery(_ending(rows, column, end)[:most])))
    if start := begun(typed):
        found |= Q(Among(F("pk"), few(rows, words, [start], most)))
    return found


def every_with(rows: QuerySet[Any], column: str, words: SearchWords, typed: str) -> Q:
    """The same for all such rows."""
    found = Q()
    if end := typed_digits(typed):
        found |= Q(Among(F("pk"), Subquery(_ending(rows, column, end))))
    if start := begun(typed):
        found |= every(rows, words, [start])
    return found


def _ending(rows: QuerySet[Any], column: str, end: str) -> QuerySet[Any, Any]:
    numbered = rows.order_by().filter(~Q(**{column: ""})).alias(from_the_end=FromTheEnd(column))
    found: QuerySet[Any, Any] = numbered.filter(from_the_end__startswith=end[::-1]).values("pk")
    return found
