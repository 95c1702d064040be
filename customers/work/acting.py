"""Acting on a line of Today: done, put off, handed over, taken back. Acting on a need makes a task of it first."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db import transaction
from django.utils.formats import date_format

from customers.models import Customer, Task
from customers.work import putting_off
from customers.work.moments import Moment
from customers.work.needs import SOURCES, Line, Overtaken, Source
from customers.work.ranking import TASK, behind, find
from customers.work.tasks import (
    NothingToTakeBack,
    TaskIsClosed,
    close_task,
    open_again,
    opened,
    reassign_task,
    snooze_task,
    take_back,
    wake_task,
)
from customers.work.working_days import still_today
from retention.common import clock
from retention.workspace.models import User

#: What acting raises where the line is no longer as the page showed it.
OVERTAKEN = (TaskIsClosed, NothingToTakeBack, Overtaken, Task.DoesNotExist)


@dataclass(frozen=True)
class Done:
    """What was done, in words, and what it is taken back by, as task:12; empty where it cannot."""

    said: str
    undo: str = ""


def acted(asked: dict[str, Any], by: User, zone: tzinfo) -> Done:
    """The same as `act`, now, and in words where somebody else was quicker."""
    try:
        return act(asked, by, clock.now(), zone)
    except OVERTAKEN:
        return Done("Somebody else has dealt with it meanwhile.")


@transaction.atomic
def act(asked: dict[str, Any], by: User, now: datetime, zone: tzinfo) -> Done:
    """Do what a valid ActForm asks. Raises one of OVERTAKEN."""
    kind, _, number = asked["need"].partition(":")
    if asked["act"] == "undo":
        return _taken_back(int(number), by) if kind == TASK else _undone(SOURCES[kind], int(number), by)
    moment = Moment(now, zone)
    if kind == TASK:
        return _with_task(int(number), asked, by, moment, fresh=False)
    line, source = find(kind, int(number), moment), SOURCES[kind]
    if asked["act"] == "done" and source.done:
        _do(source, line.origin, by)
        undo = f"{kind}:{line.ref}" if source.undone else ""
        return Done(f"Done: {source.action} – {Customer.objects.get(pk=line.customer_id)}.", undo)
    task, fresh = _make_task(source, line, moment)
    return _with_task(task.pk, asked, by, moment, fresh=fresh)


def _taken_back(task_id: int, by: User) -> Done:
    """With what was done beside closing the task."""
    was_closed = Task.objects.filter(pk=task_id).exclude(state=Task.State.OPEN).exists()
    task = take_back(task_id, by.pk)
    kind, _, key = task.origin.partition(":")
    source = SOURCES.get(kind)
    if was_closed and source and source.undone:
        with suppress(Overtaken):
            source.undone(int(key.partition("/")[0]), by)
    return Done(f"Taken back: {task.title} – {task.customer}.")


def _undone(source: Source, ref: int, by: User) -> Done:
    if source.undone is None:
        raise NothingToTakeBack(ref)
    return Done(f"Taken back: {source.action} – {source.undone(ref, by)}.")


def _with_task(task_id: int, asked: dict[str, Any], by: User, moment: Moment, *, fresh: bool) -> Done:
    verb, _, days = asked["act"].partition("-")
    undo = f"{TASK}:{task_id}"
    if verb == "done":
        said, task = "Done", close_task(task_id, Task.State.DONE, by.pk, fresh=fresh)
        undo = "" if _done_for_good(task, by) else undo
    elif verb == "snooze":
        task = Task.objects.get(pk=task_id)
        line = behind({(task.customer_id, task.origin): task_id}, moment).get(task_id)
        until = putting_off.until(int(days), moment.now, moment.zone, line.at if line else None)
        day = date_format(until.astimezone(moment.zone), "j F")
        said, task = f"Put off until {day}", snooze_task(task_id, until, day, by.pk, fresh=fresh)
    elif verb == "wake":
        said, task = "On Today again", wake_task(task_id, still_today(moment.now, moment.zone), by.pk)
    else:
        said = f"Handed to {asked['assignee'] or 'nobody'}"
        task = reassign_task(task_id, asked["assignee"], by.pk, fresh=fresh)
    return Done(f"{said}: {task.title} – {task.customer}.", undo)


def _done_for_good(task: Task, by: User) -> bool:
    """Do what there is to do beside closing the task; whether that cannot be taken back with it."""
    source = SOURCES.get(task.origin.partition(":")[0])
    if source is None or source.done is None:
        return False
    with suppress(Overtaken):
        _do(source, task.origin, by)
    return source.undone is None


def _do(source: Source, origin: str, by: User) -> None:
    if source.done:
        source.done(origin.partition(":")[2], by)


def _make_task(source: Source, line: Line, moment: Moment) -> tuple[Task, bool]:
    """The task about what a line says, for whoever it is for: the person it names, or who looks after the customer.

    And whether it is new: somebody else may have made it meanwhile. A line that comes back after its task was closed,
    because what was done was undone, opens that task again.
    """
    owner_id = Customer.objects.values_list("owner_id", flat=True).get(pk=line.customer_id)
    due_at = still_today(moment.now, moment.zone)
    person = line.person or owner_id
    task, is_new = opened(line.customer_id, source.action, source.said(line), due_at, person, line.origin)
    if source.done:
        open_again(task.pk, due_at, person)
    return task, is_new
