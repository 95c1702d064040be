"""Finding phone numbers by what people have of them: their last digits, or the number as it is dialled at home.

A number is compared by its digits alone, read from the end, so that the country's code and the zero that stands for it
at home make no difference, and an index of beginnings finds endings.
"""

import re
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.db.models import F, Func, Index, Q, QuerySet, Subquery, TextField

from retention.common.asking import Asking, Given
from retention.common.text_search import beyond
from retention.common.word_index import NOTHING, Among, Pool, beside, few, some

#: Fewer digits than these end too many numbers.
FEWEST = 4
#: No number has fewer.
LEAST = 5
_NUMBER = re.compile(r"[\d\s()+./-]+", re.ASCII)
_NO_DIGIT = re.compile(r"[^0-9]+")
#: Digits that numbers are typed in, as a pattern's class: Arabic ones of both kinds and those of full width, too.
OTHERS = "".join(chr(zero + digit) for zero in (0x0660, 0x06F0, 0xFF10) for digit in range(10))
DIGITS = f"0-9{OTHERS}"
#: What each of the others is.
ALIKE = "0123456789" * 3


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


def may_be_number(typed: str) -> bool:
    return bool(_NUMBER.fullmatch(typed))


def is_number(number: str, typed: str) -> bool:
    """Whether a number ends with what was typed, or begins with it."""
    kept, end, start = _NO_DIGIT.sub("", number), typed_digits(typed), begun(typed)
    return bool((end and kept.endswith(end)) or (start and kept.startswith(start)))


def few_with(pool: Pool, typed: str, most: int) -> Asking[dict[str, Any]]:
    """What `some_with` is given for rows whose number was typed, or a part of it."""
    end, start = typed_digits(typed)[::-1], begun(typed)
    chosen = (yield from few(pool, start, most)) if start else NOTHING
    ends = {"end": end or None, "end_over": beyond(end) if end else None}
    return ends | {f"start_{name}": value for name, value in chosen.items()}


def some_with(pool: Pool, column: str, most: int) -> Q:
    """A filter for those of the pool that `few_with` has chosen, `most` at most of each."""
    ending = _numbered(pool, column).filter(from_the_end__gte=Given("end"), from_the_end__lt=Given("end_over"))
    return Q(Among(F("pk"), Subquery(ending.values("pk")[:most]))) | some(pool, most, "start_")


def every_with(pool: Pool, column: str, typed: str, by: str = "pk") -> Q:
    """A filter as `beside` makes it, for those whose number was typed, or a part of it.

    Two queries at most, where it was typed in groups.
    """
    found = Q()
    if end := typed_digits(typed):
        ending = _numbered(pool, column).filter(from_the_end__startswith=end[::-1])
        found |= Q(Among(F(by), Subquery(ending.values("pk"))))
    if start := begun(typed):
        found |= beside(pool, [start], by)
    return found


def _numbered(pool: Pool, column: str) -> QuerySet[Any]:
    found: QuerySet[Any] = pool.rows.order_by().filter(~Q(**{column: ""})).alias(from_the_end=FromTheEnd(column))
    return found


def check_number(typed: str) -> None:
    """Raise ValidationError where it cannot be a number. What can is kept as it was typed, as in files."""
    if typed and len(re.findall(f"[{DIGITS}]", typed)) < LEAST:
        raise ValidationError(f"Give a phone number: it has {LEAST} digits at least.", "invalid")
