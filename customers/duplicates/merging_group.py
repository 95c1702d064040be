"""Making several customers one: one merge for each, by the rules of any merge, so that each can be undone by itself."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from customers.duplicates import comparing, merging, moving
from customers.duplicates.comparing import MINE, THEIRS
from customers.models import Customer
from retention.workspace.models import User


@dataclass(frozen=True)
class Asked:
    """What a form asks for: why, the states of everybody as they were looked at, by id, and the form's own name.

    `currency`: of the workspace, by which amounts in fields are told. `stays`: whose value of a field stays, by id.
    """

    why: str
    opened: Mapping[int, datetime]
    once: uuid.UUID
    currency: str
    stays: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """Who is part of the survivor now, in the order they went, and why it went no further; empty where it did."""

    taken: list[str]
    stopped: str = ""


def merge_each(survivor_id: int, losers: Sequence[int], asked: Asked, by: User) -> Done:
    """Of each field that value stays which was chosen, else the survivor's or that of the first who has one; all tags.

    The first merge that is refused leaves nothing and ends it; those before it stand.
    """
    taken: list[str] = []
    changed_at = asked.opened.get(survivor_id)
    for loser_id in losers:
        both = {row.pk: row for row in Customer.objects.filter(pk__in=[survivor_id, loser_id])}
        if len(both) < 2:
            return Done(taken, "One of them is not there any more.")
        opened = {survivor_id: changed_at, loser_id: asked.opened.get(loser_id)}
        said = {name: THEIRS if whose == loser_id else MINE for name, whose in asked.stays.items()}
        wanted = comparing.usual(both[survivor_id], both[loser_id], said, asked.currency)
        once = uuid.uuid5(asked.once, str(loser_id))
        seen = {pk: at for pk, at in opened.items() if at}
        try:
            made = merging.merge(replace(wanted, why=asked.why, once=once, opened=seen), by)
        except moving.CannotMerge as reason:
            return Done(taken, f"{both[loser_id]}: {reason}")
        except Customer.DoesNotExist:
            return Done(taken, "One of them is not there any more.")
        taken.append(made.loser_name)
        changed_at = made.at
    return Done(taken)
