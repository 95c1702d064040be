"""Asking: questions that are put together once, and what several rooms ask at a time, in one statement.

To put a question together takes longer than to answer it, and each that is asked by itself waits for its own way to the
database and back. Somebody who asks is a generator: it yields the questions of one round, is sent their answers, and
returns what it makes of them.
"""

import json
import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, TypeAlias, TypeVar

from django.db.models import Expression, Field, QuerySet, TextField

from retention.common import planned

#: A row by its columns' names, as JSON has it: an instant is a text in ISO 8601.
Row: TypeAlias = dict[str, Any]
T = TypeVar("T")
_PLACE = re.compile("%[s%]")


class Given(Expression):
    """A parameter that is known when the question is asked, by its name."""

    def __init__(self, name: str, output_field: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=output_field or TextField())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG002
        return "%s", (self,)


@dataclass(frozen=True)
class Question:
    """A statement and its parameters."""

    statement: str
    params: Sequence[Any]


@dataclass(frozen=True)
class Kept:
    """A question that is put together but for what is given each time."""

    statement: str
    params: Sequence[Given]

    def asked(self, **given: Any) -> Question:
        """With what is given, by name: texts and numbers, or None."""
        return Question(self.statement, [given[param.name] for param in self.params])


Asking: TypeAlias = Generator[Sequence[Question], list[list[Row]], T]


def kept(rows: "QuerySet[Any, Any]") -> Kept:
    """A queryset's question. Its columns have names of their own."""
    return written(*rows.query.sql_with_params())


def written(statement: str, params: Iterable[Any]) -> Kept:
    """The question that a statement asks, with all but what is `Given` written into it."""
    text, given = planned.written(statement, params, lambda param: isinstance(param, Given))
    return Kept(text, given)


def hear(asking: Sequence[Asking[T]]) -> list[T]:
    """What each makes of its answers. One query for each round in which somebody asks."""
    heard: dict[int, T] = {}
    answers: dict[int, Any] = dict.fromkeys(range(len(asking)))
    while answers:
        asked: dict[int, Sequence[Question]] = {}
        for place, answer in answers.items():
            try:
                asked[place] = asking[place].send(answer)
            except StopIteration as done:
                heard[place] = done.value
        found = iter(_together([one for each in asked.values() for one in each]))
        answers = {place: [next(found) for _ in each] for place, each in asked.items()}
    return [heard[place] for place in range(len(asking))]


def _together(questions: Sequence[Question]) -> list[list[Row]]:
    if not questions:
        return []
    statement = _one(tuple(each.statement for each in questions))
    (found,) = planned.numbered(statement, [one for each in questions for one in each.params])
    return [json.loads(rows) if rows else [] for rows in found]


@lru_cache(maxsize=256)
def _one(statements: Sequence[str]) -> bytes:
    """The statement that asks them all."""
    parts = (f"(SELECT json_agg(asked) FROM ({each}) AS asked)::text" for each in statements)  # noqa: S608
    number = count(1)
    numbered = _PLACE.sub(lambda place: f"${next(number)}" if place[0] == "%s" else "%", ", ".join(parts))
    return f"SELECT {numbered}".encode()
