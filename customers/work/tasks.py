"""Tasks: opened once per origin, closed, put off, handed over."""

from datetime import datetime

from django.db import transaction

from customers.events.recording import Happening, record
from customers.models import Task
from retention.common import clock


class TaskIsClosed(Exception):
    """Somebody else has closed the task meanwhile."""


@transaction.atomic
def open_task(
    customer_id: int, title: str, reason: str, due_at: datetime, assignee_id: int | None, origin: str
) -> Task:
    """The task that `origin` (as kind:id) asks for; a second call with the same origin gives back the first task.

    An empty origin is a person's own wish and always opens a new one.
    """
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
    return task


@transaction.atomic
def close_task(task_id: int, state: Task.State, by_id: int | None) -> Task:
    """Close an open task as done or dropped. One that is closed already stays as it is, whoever closed it."""
    open_tasks = Task.objects.filter(pk=task_id, state=Task.State.OPEN)
    at = clock.now()
    closed = open_tasks.update(state=state, closed_at=at, closed_by_id=by_id)
    task = Task.objects.get(pk=task_id)
    if closed:
        _record(task, "task.closed", at)
    return task


@transaction.atomic
def reopen_task(task_id: int) -> Task:
    """Take back a closing; an open task stays as it is."""
    closed_tasks = Task.objects.filter(pk=task_id).exclude(state=Task.State.OPEN)
    reopened = closed_tasks.update(state=Task.State.OPEN, closed_at=None, closed_by=None)
    task = Task.objects.get(pk=task_id)
    if reopened:
        _record(task, "task.opened", clock.now())
    return task


def snooze_task(task_id: int, until: datetime) -> None:
    """Put an open task off. Raises TaskIsClosed."""
    _change_open(task_id, due_at=until)


def reassign_task(task_id: int, assignee_id: int | None) -> None:
    """Hand an open task to somebody, or to nobody. Raises TaskIsClosed."""
    _change_open(task_id, assignee_id=assignee_id)


def _change_open(task_id: int, **change: object) -> None:
    if not Task.objects.filter(pk=task_id, state=Task.State.OPEN).update(**change):
        raise TaskIsClosed(task_id)


def _record(task: Task, kind: str, at: datetime) -> None:
    """A task may be closed and opened again, so the instant is part of what makes the event one of a kind."""
    happening = Happening(
        customer_id=task.customer_id,
        kind=kind,
        occurred_at=at,
        source="work",
        ref=f"task:{task.pk}",
        payload={"task": task.pk, "title": task.title, "state": task.state},
        dedup_key=f"task:{task.pk}:{at.isoformat()}",
    )
    record([happening])
