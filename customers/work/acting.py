"""Acting on a line of Today: done, put off, handed over, taken back. Acting on a signal makes a task of it first."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db import transaction
from django.utils.formats import date_format

from customers.models import CustomerFacts, Task
from customers.work import putting_off
from customers.work.signals import SIGNALS, deadline, make_task
from customers.work.tasks import NothingToTakeBack, TaskIsClosed, close_task, reassign_task, snooze_task, take_back
from customers.work.working_days import still_today
from retention.workspace.models import User

#: What acting raises where the line is no longer as the page showed it.
OVERTAKEN = (TaskIsClosed, NothingToTakeBack, Task.DoesNotExist, CustomerFacts.DoesNotExist)


@dataclass(frozen=True)
class Done:
    """What was done, in words, and the number of the task by which it can be taken back; none for a taking back."""

    said: str
    undo: int | None


@transaction.atomic
def act(asked: dict[str, Any], by: User, now: datetime, zone: tzinfo) -> Done:
    """Do what a valid ActForm asks. Raises one of OVERTAKEN."""
    kind, _, number = asked["need"].partition(":")
    verb, _, days = asked["act"].partition("-")
    if verb == "undo":
        task = take_back(int(number), by.pk)
        return Done(f"Taken back: {task.title} – {task.customer}.", None)
    fresh = kind in SIGNALS
    task_id = make_task(SIGNALS[kind], int(number), still_today(now, zone)).pk if fresh else int(number)
    if verb == "done":
        said, task = "Done", close_task(task_id, Task.State.DONE, by.pk, fresh=fresh)
    elif verb == "snooze":
        until = putting_off.until(int(days), now, zone, deadline(Task.objects.get(pk=task_id)))
        day = date_format(until.astimezone(zone), "j F")
        said, task = f"Put off until {day}", snooze_task(task_id, until, day, by.pk, fresh=fresh)
    else:
        said = f"Handed to {asked['assignee'] or 'nobody'}"
        task = reassign_task(task_id, asked["assignee"], by.pk, fresh=fresh)
    return Done(f"{said}: {task.title} – {task.customer}.", task.pk)
