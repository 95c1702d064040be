"""Tasks: opened once per origin, closed, put off, handed over; and the last of these taken back."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from customers.events.recording import Happening, record
from customers.models import Event, Task
from retention.common import acting, clock
from retention.workspace.models import User


class TaskIsClosed(Exception):
    """Somebody else has closed the task meanwhile."""


class NothingToTakeBack(Exception):
    """The last that happened to the task was not done by the person who wants it taken back."""


def open_task(
    customer_id: int, title: str, reason: str, due_at: datetime, assignee_id: int | None, origin: str
) -> Task:
    """The task that `origin` (as kind:id) asks for; a second call with the same origin gives back the first task.

    An empty origin is a person's own wish and always opens a new one.
    """
    return opened(customer_id, title, reason, due_at, assignee_id, origin)[0]


@transaction.atomic
def opened(
    customer_id: int, title: str, reason: str, due_at: datetime, assignee_id: int | None, origin: str
) -> tuple[Task, bool]:
    """The same, and whether it was opened by this call."""
    at = clock.now()
    wanted = {"title": title[:200], "reason": reason[:500], "due_at": due_at, "assignee_id": assignee_id}
    if origin:
        task, is_new = Task.objects.get_or_create(
            customer_id=customer_id, origin=origin, defaults=wanted | {"created_at": at}
        )
    else:
        task, is_new = Task.objects.create(customer_id=customer_id, created_at=at, **wanted), True
    if is_new:
        _record(task, "task.opened", at)
    return task, is_new


@transaction.atomic
def open_again(task_id: int, due_at: datetime, assignee_id: int | None) -> None:
    """Open a closed task whose occasion has come again. One that is open stays as it is."""
    task = Task.objects.select_for_update(of=("self",)).get(pk=task_id)
    if task.state != Task.State.OPEN:
        _reopen(task)
        task.due_at, task.put_off_until, task.assignee_id = due_at, None, assignee_id
        task.save()
        _record(task, "task.opened", clock.now())


def _reopen(task: Task) -> None:
    task.state, task.closed_at, task.closed_by, task.closed_by_key = Task.State.OPEN, None, None, ""
    task.updated_at = clock.now()


def close_task(task_id: int, state: Task.State, by_id: int | None, *, fresh: bool = False) -> Task:
    """Close an open task as done or dropped. One that is closed already stays as it is, whoever closed it.

    `fresh`, here and below: the task was made by this very act, so that to take the act back removes the task.
    """
    key = acting.program.get()
    closing = {"state": state, "closed_at": clock.now(), "closed_by_id": by_id, "closed_by_key": key}
    try:
        return _change(task_id, "task.closed", by_id, fresh, state.label.lower(), **closing)
    except TaskIsClosed:
        return Task.objects.select_related("customer").get(pk=task_id)


def snooze_task(task_id: int, until: datetime, said: str, by_id: int | None, *, fresh: bool = False) -> Task:
    """Put an open task off; `said` is until when, in words. Raises TaskIsClosed."""
    return _change(task_id, "task.changed", by_id, fresh, f"put off until {said}", due_at=until, put_off_until=until)


def wake_task(task_id: int, due_at: datetime, by_id: int | None) -> Task:
    """Show a task that was put off again, to be done by then. Raises TaskIsClosed."""
    return _change(task_id, "task.changed", by_id, False, "taken up again", due_at=due_at, put_off_until=None)


def reassign_task(task_id: int, assignee: User | None, by_id: int | None, *, fresh: bool = False) -> Task:
    """Hand an open task to somebody, or to nobody. Raises TaskIsClosed."""
    return _change(task_id, "task.changed", by_id, fresh, f"handed to {assignee or 'nobody'}", assignee=assignee)


@transaction.atomic
def take_back(task_id: int, by_id: int) -> Task:
    """Make undone the last that this person did to the task: it is as it was before, or gone where it was not there.

    Raises NothingToTakeBack, Task.DoesNotExist.
    """
    task = Task.objects.select_for_update(of=("self",)).select_related("customer").get(pk=task_id)
    last = Event.objects.filter(customer=task.customer, ref=f"task:{task.pk}").order_by("pk").last()
    if last is None or last.payload.get("by") != by_id or "was" not in last.payload:
        raise NothingToTakeBack(task_id)
    was = last.payload["was"]
    if was is None:
        _record(task, "task.taken_back", clock.now())
        task.delete()
    else:
        _restore(task, was)
    return task


def _restore(task: Task, was: dict[str, Any]) -> None:
    kind = "task.changed" if task.state == Task.State.OPEN else "task.opened"
    _reopen(task)
    task.due_at = parse_datetime(was["due_at"]) or task.due_at
    task.put_off_until = parse_datetime(was.get("put_off_until") or "")
    task.assignee = User.objects.filter(pk=was["assignee"]).first()
    task.save()
    _record(task, kind, clock.now(), said="as before")


@transaction.atomic
def _change(task_id: int, kind: str, by_id: int | None, fresh: bool, said: str, **change: Any) -> Task:
    task = (
        Task.objects.select_for_update(of=("self",))
        .select_related("customer")
        .filter(pk=task_id, state=Task.State.OPEN)
        .first()
    )
    if task is None:
        raise TaskIsClosed(task_id)
    was = None if fresh else _as_it_was(task)
    for name, value in change.items():
        setattr(task, name, value)
    task.updated_at = clock.now()
    task.save(update_fields=[*change, "updated_at"])
    _record(task, kind, clock.now(), said=said, by=by_id, was=was)
    return task


def _as_it_was(task: Task) -> dict[str, Any]:
    put_off = task.put_off_until.isoformat() if task.put_off_until else None
    return {"due_at": task.due_at.isoformat(), "put_off_until": put_off, "assignee": task.assignee_id}


def _record(task: Task, kind: str, at: datetime, **more: Any) -> None:
    """A task may be closed and opened again, so the instant is part of what makes the event one of a kind."""
    happening = Happening(
        customer_id=task.customer_id,
        kind=kind,
        occurred_at=at,
        source="work",
        ref=f"task:{task.pk}",
        payload={"task": task.pk, "title": task.title, "state": task.state} | more,
        dedup_key=f"task:{task.pk}:{at.isoformat()}",
    )
    record([happening])
