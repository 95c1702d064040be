"""Changing many customers at once: those picked, or all that match. Every change may be repeated without harm."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import CharField, F, Func, Q, Value
from django.http import QueryDict

from customers.facts import dirty
from customers.models import Customer, Team
from customers.records.filters import Filters, matching
from customers.work.forms import workers
from retention.common import clock
from retention.workspace.jobs import JobFailed, Progress, job
from retention.workspace.models import User

AT_A_TIME = 5_000
TAG_LENGTH = 50


class Refused(Exception):
    """The change cannot be made; the text says why, for the person who asked for it."""


@dataclass(frozen=True)
class Action:
    """A kind of change: whom it would change, what it writes, how it reads. Each gets the change's value."""

    to: Callable[[str], Q]
    write: Callable[[str], dict[str, Any]]
    words: Callable[[str], str]


def _tags(function: str, tag: str) -> dict[str, Any]:
    text = Value(tag, output_field=CharField(max_length=TAG_LENGTH))
    return {"tags": Func(F("tags"), text, function=function, output_field=ArrayField(CharField(max_length=TAG_LENGTH)))}


ACTIONS = {
    "tag": Action(
        lambda tag: ~Q(tags__contains=[tag]),
        lambda tag: _tags("array_append", tag),
        lambda tag: f"Add the tag “{tag}”",
    ),
    "untag": Action(
        lambda tag: Q(tags__contains=[tag]),
        lambda tag: _tags("array_remove", tag),
        lambda tag: f"Remove the tag “{tag}”",
    ),
    "owner": Action(
        lambda owner: Q(owner__isnull=True) | ~Q(owner=owner) if owner else Q(owner__isnull=False),
        lambda owner: {"owner": int(owner) if owner else None},
        lambda owner: f"Assign to {User.objects.get(pk=owner) if owner else 'nobody'}",
    ),
    "team": Action(
        lambda team: Q(team__isnull=True) | ~Q(team=team) if team else Q(team__isnull=False),
        lambda team: {"team": int(team) if team else None},
        lambda team: f"Give to the team {Team.objects.get(pk=team)}" if team else "Take from their team",
    ),
    "persona": Action(
        lambda persona: ~Q(persona=persona),
        lambda persona: {"persona": persona},
        lambda persona: f"Set the persona “{persona}”" if persona else "Forget the persona",
    ),
    "key": Action(
        lambda _: Q(is_key_account=False),
        lambda _: {"is_key_account": True},
        lambda _: "Make key accounts",
    ),
    "unkey": Action(
        lambda _: Q(is_key_account=True),
        lambda _: {"is_key_account": False},
        lambda _: "Make no key accounts",
    ),
}


@dataclass(frozen=True)
class Change:
    """`action` is a key of `ACTIONS`; `value` its tag or persona, or an owner's or a team's id, empty for none."""

    action: str
    value: str

    def check(self) -> None:
        """Raises Refused where it makes no sense."""
        if self.action not in ACTIONS:
            raise Refused("Choose what to do with them.")
        if self.action in ("tag", "untag") and not self.value:
            raise Refused(f"Give a tag of 1 to {TAG_LENGTH} characters.")
        if len(self.value) > TAG_LENGTH:
            raise Refused(f"Give at most {TAG_LENGTH} characters.")
        if self.action == "team" and self.value and not _is_team(self.value):
            raise Refused("Choose one of the teams.")
        if self.action == "owner" and self.value and not _is_person(self.value):
            raise Refused("Choose one of the people who look after customers.")

    @property
    def words(self) -> str:
        return ACTIONS[self.action].words(self.value)


def _is_person(value: str) -> bool:
    return value.isascii() and value.isdigit() and workers().filter(pk=value).exists()


def _is_team(value: str) -> bool:
    return value.isascii() and value.isdigit() and Team.objects.filter(pk=value).exists()


@transaction.atomic
def apply(change: Change, customer_ids: Iterable[int]) -> int:
    """Make the change to those of these customers whom it changes. Returns how many that were."""
    action = ACTIONS[change.action]
    asked = Customer.objects.filter(action.to(change.value), pk__in=list(customer_ids))
    there = list(asked.order_by("pk").select_for_update().values_list("pk", flat=True))
    Customer.objects.filter(pk__in=there).update(**action.write(change.value), updated_at=clock.now())
    dirty.mark(there)
    return len(there)


@job("customers.bulk")
def run(progress: Progress) -> dict[str, Any]:
    """Spec: `query` (the list's query string), `action`, `value`. Changes, part by part, who matched when it began."""
    spec = progress.job.spec
    change = Change(spec["action"], spec["value"])
    try:
        change.check()
    except Refused as reason:
        raise JobFailed(str(reason)) from reason
    ids = list(matching(Filters.read(QueryDict(spec["query"]))).order_by("pk").values_list("pk", flat=True))
    changed = sum(_part(progress, change, ids, start) for start in range(0, len(ids), AT_A_TIME))
    return {"matched": len(ids), "changed": changed}


def _part(progress: Progress, change: Change, ids: Sequence[int], start: int) -> int:
    progress.step(start, len(ids), "Changing customers")
    return apply(change, ids[start : start + AT_A_TIME])
