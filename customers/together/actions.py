"""What can be done to many rows at once, and how each is taken back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Model, Q, QuerySet

from retention.common.sent import whole
from retention.workspace.models import User

#: Stands for no row, where a row is to be chosen.
NOBODY = "nobody"
Choices = Iterable[tuple[str, str]]


class Refused(Exception):
    """The change cannot be made; the text says why, for the person who asked for it."""


def _nothing(_: str) -> None:
    return None


@dataclass(frozen=True)
class Action:
    """A kind of change. Each part gets the change's value: whom it would change, what it writes, how it reads.

    `before` names or is what to keep of a row. `back` is the SQL that sets a row `r` to what its line `l` kept, and
    `still` tells whether it stands as it was written; both know the parameters of `written`. `check` raises Refused.
    `ask` gives the control that asks for the value, told the rows it is for; several values are one text with a line
    for each.
    """

    to: Callable[[str], Q]
    write: Callable[[str], dict[str, Any]]
    words: Callable[[str], str]
    before: Any
    back: str
    still: str
    check: Callable[[str], None] = _nothing
    written: Callable[[str], dict[str, Any]] = field(default=lambda value: {"value": value})
    label: str = ""
    ask: Callable[[QuerySet[Any]], forms.Field | None] = lambda _: None


def to_one(
    column: str,
    of: type[Model],
    check: Callable[[str], None],
    words: Callable[[str], str],
    label: str,
    offered: Callable[[], Choices],
) -> Action:
    """Have a column refer to a row by its id, or to none where the value is nobody or empty.

    Taken back, it refers to none where the row it referred to is gone: such rows were left with none.
    """
    return Action(
        lambda value: (
            Q(**{f"{column}__isnull": True}) | ~Q(**{column: pk}) if (pk := whole(value)) else ~Q(**{column: None})
        ),
        lambda value: {column: whole(value)},
        words,
        before=column,
        back=f"{column} = (SELECT id FROM {of._meta.db_table} WHERE id = (l.before #>> '{{}}')::bigint)",  # noqa: S608
        still=f"r.{column} IS NOT DISTINCT FROM %(value)s::bigint",
        check=lambda value: None if value in ("", NOBODY) else check(value),
        written=lambda value: {"value": whole(value)},
        label=label,
        ask=lambda _: forms.ChoiceField(choices=[("", "Choose…"), *offered()], label=label),
    )


def to_text(
    column: str,
    words: Callable[[str], str],
    check: Callable[[str], None],
    label: str,
    ask: Callable[[], forms.Field],
) -> Action:
    """Have a column hold the value."""
    return Action(
        lambda value: ~Q(**{column: value}),
        lambda value: {column: value},
        words,
        before=column,
        back=f"{column} = l.before #>> '{{}}'",
        still=f"r.{column} = %(value)s",
        check=check,
        label=label,
        ask=lambda _: ask(),
    )


def name_of(person: str) -> str:
    return str(User.objects.get(pk=pk)) if (pk := whole(person)) else "nobody"
