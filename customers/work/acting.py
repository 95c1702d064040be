"""Acting on a line of Today: done, put off, handed over, taken back. Acting on a signal makes a task of it first."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.db import transaction
from django.utils.formats import date_format

from customers.models import Task
from customers.work.forms import end_of_work
from customers.work.signals import SIGNALS, make_task
from customers.work.tasks import close_task, reassign_task, reopen_task, snooze_task
from retention.workspace.models import User


@transaction.atomic
def act(asked: dict[str, Any], by: User, now: datetime, zone: tzinfo) -> tuple[Task, str]:
    """Do what a valid ActForm asks; gives the task and what was done, in words.

    Raises TaskIsClosed, Task.DoesNotExist, CustomerFacts.DoesNotExist.
    """
    task = _task(asked["need"], now, zone)
    verb, _, days = asked["act"].partition("-")
    if verb == "done":
        close_task(task.pk, Task.State.DONE, by.pk)
        return task, f"Done: {task.title}."
    if verb == "undo":
        reopen_task(task.pk)
        return task, f"Open again: {task.title}."
    if verb == "snooze":
        until = end_of_work((now.astimezone(zone) + timedelta(days=int(days))).date(), zone)
        snooze_task(task.pk, until)
        return task, f"Put off until {date_format(until, 'j F')}: {task.title}."
    reassign_task(task.pk, asked["assignee"].pk if asked["assignee"] else None)
    return task, f"Handed to {asked['assignee'] or 'nobody'}: {task.title}."


def _task(need: str, now: datetime, zone: tzinfo) -> Task:
    kind, _, number = need.partition(":")
    if kind == "task":
        return Task.objects.get(pk=int(number))
    return make_task(SIGNALS[kind], int(number), end_of_work(now.astimezone(zone).date(), zone))
