"""Making a change to many rows, and taking it back. Both may be repeated without harm."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Model

from customers.facts import dirty
from customers.models import ChangedRow, Customer, ManyChange
from customers.together.actions import Action, Refused
from retention.common import clock
from retention.workspace.jobs import JobFailed, Progress, job
from retention.workspace.models import User
from retention.workspace.roles import Can

#: More rows than these are taken back by a job.
AT_A_TIME = 5_000
UNDO = "together.undo"


class NotTheirs(Exception):
    """Only whoever made a change, or an administrator, takes it back."""


@dataclass(frozen=True)
class Kind:
    """Rows that are changed together. `find` gives an action by its name, and nothing where there is none.

    `customer` is the column with a row's customer; `ref` and `payload` are SQL of the event that a row `r` gives them;
    `told` the kinds of event of a change by this action, and of its undoing.
    """

    model: type[Model]
    find: Callable[[str], Action | None]
    noun: str
    list_view: str
    page_view: str
    customer: str
    ref: str
    payload: str
    told: Callable[[str], tuple[str, str]]


KINDS: dict[str, Kind] = {}


def action_of(about: str, name: str) -> Action:
    """Raises Refused where nothing of that name can be done."""
    if found := KINDS[about].find(name):
        return found
    raise Refused("Choose what to do with them.")


def begin(about: str, action: str, value: str, by: User | None, **more: Any) -> ManyChange:
    """Note what is going to be changed, once it is known to make sense. Raises Refused."""
    asked = action_of(about, action)
    asked.check(value)
    words = asked.words(value)[:300]
    return ManyChange.objects.create(about=about, action=action, value=value, words=words, by=by, **more)


@transaction.atomic
def apply(change: ManyChange, ids: Iterable[int]) -> int:
    """Make the change to those of these rows whom it changes, keeping what they were. Gives how many that were."""
    kind, action = KINDS[change.about], action_of(change.about, change.action)
    rows = kind.model._default_manager

    asked = rows.filter(action.to(change.value), pk__in=list(ids)).order_by("pk").select_for_update(no_key=True)
    before: Any = F(action.before) if isinstance(action.before, str) else action.before
    there = list(asked.values_list("pk", before))
    kept = (ChangedRow(change=change, row=pk, before=was) for pk, was in there)
    ChangedRow.objects.bulk_create(kept, batch_size=AT_A_TIME, ignore_conflicts=True)
    ids, now = [pk for pk, _ in there], clock.now()
    rows.filter(pk__in=ids).update(**action.write(change.value), updated_at=now)
    _tell(change, kind.told(change.action)[0], ids, {"said": change.words, "by": str(change.by or ""), "at": now})
    return len(ids)


@transaction.atomic
def undo(change_id: int, by: User) -> int:
    """Set back whatever still stands as it was written; gives how many rows. Raises NotTheirs, Refused."""
    change = ManyChange.objects.select_for_update(of=("self",)).select_related("job").get(pk=change_id)
    may_undo(change, by)
    now = clock.now()
    ids = _set_back(change, now)
    change.undone_at, change.undone_by = now, by
    change.save(update_fields=["undone_at", "undone_by"])
    told = {"said": f"{change.words} (taken back)", "by": str(by), "at": now}
    _tell(change, KINDS[change.about].told(change.action)[1], ids, told, "-undone")
    return len(ids)


def may_undo(change: ManyChange, by: User) -> None:
    """Raises NotTheirs, Refused."""
    if change.by_id != by.pk and not by.can(Can.ADMINISTER):
        raise NotTheirs
    if change.undone_at:
        raise Refused("It has been taken back already.")
    if change.job and change.job.open:
        raise Refused("It is still being made. Stop that first, or wait for its end.")


def _set_back(change: ManyChange, now: datetime) -> list[int]:
    kind, action = KINDS[change.about], action_of(change.about, change.action)
    table = kind.model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(  # in the order in which everybody locks them
            f"SELECT FROM {table} WHERE id IN (SELECT row FROM customers_changedrow WHERE change_id = %s)"  # noqa: S608
            " ORDER BY id FOR NO KEY UPDATE",
            [change.pk],
        )
        cursor.execute(
            f"UPDATE {table} AS r SET {action.back}, updated_at = %(now)s FROM customers_changedrow AS l"  # noqa: S608
            f" WHERE l.change_id = %(change)s AND r.id = l.row AND {action.still} RETURNING r.id",
            {"now": now, "change": change.pk, **action.written(change.value)},
        )
        return [pk for (pk,) in cursor.fetchall()]


def _tell(change: ManyChange, event: str, ids: Sequence[int], told: dict[str, Any], suffix: str = "") -> None:
    """Each row's customer gets the event once, and is folded again.

    By their ids: as the database sees that each is there, it holds them in this order, in which everybody takes them.
    """
    kind = KINDS[change.about]
    table = kind.model._meta.db_table
    key = f"change{suffix}:{change.pk}"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)"  # noqa: S608
            f" SELECT r.{kind.customer}, %(event)s, %(at)s, %(at)s, 'web', {kind.ref}, {kind.payload},"
            f" %(key)s || ':' || r.id FROM {table} AS r WHERE r.id = ANY(%(ids)s)"
            f" ORDER BY r.{kind.customer}, r.id ON CONFLICT DO NOTHING",
            {**told, "event": event, "key": key, "ids": list(ids)},
        )
    if kind.model is Customer:
        dirty.mark(ids)


def run_in_parts(progress: Progress, about: str, ids: Sequence[int]) -> dict[str, Any]:
    """A job's work: its spec names `action` and `value`. Begun again it goes on where it was."""
    spec, row = progress.job.spec, progress.job
    try:
        change = ManyChange.objects.filter(job=row).first()
        change = change or begin(about, spec["action"], spec["value"], row.created_by, job=row)
    except Refused as reason:
        raise JobFailed(str(reason)) from reason
    changed = 0
    for start in range(0, len(ids), AT_A_TIME):
        progress.step(start, len(ids), f"Changing {about}")
        changed += apply(change, ids[start : start + AT_A_TIME])
    return {"matched": len(ids), "changed": changed, "change": change.pk}


@job(UNDO)
def run_undo(progress: Progress) -> dict[str, Any]:
    """Spec: `change`. In one transaction."""
    by = progress.job.created_by
    change = ManyChange.objects.get(pk=progress.job.spec["change"])
    if by is None or (change.undone_at and change.undone_by_id != by.pk):
        raise JobFailed("It has been taken back already.")
    try:
        number = undo(change.pk, by)
    except Refused:  # this job was begun again after it had ended
        number = change.rows.count()
    return {"number": number, "change": change.pk}
