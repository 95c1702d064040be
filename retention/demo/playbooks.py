"""Playbooks: the ready-made ones, gone through with some customers for ten weeks: running, finished and stopped.

The same functions do it that the pages and the sweep call, as of each of those days.
"""

from datetime import timedelta
from random import Random

from django.db.models import F

from customers.events.recording import Happening, record
from customers.models import Customer, Playbook, PlaybookRun, Stage, Task
from customers.playbooks import editing, ending, passing, ready_made, starting
from retention.common import clock
from retention.demo.span import DAYS, Span
from retention.workspace.models import User

BEGUN, BY_HAND = DAYS - 68, 14
LOOKED_AT = (DAYS - 45, DAYS - 24, DAYS - 8, DAYS - 1)
DONE = 0.8  # of what is due, each time somebody works through it
WAITS = timedelta(days=2)


def write(rng: Random, span: Span, managers: list[User]) -> None:
    with clock.at(span.instant(BEGUN)):
        books = {key: ready_made.take(key, managers[0])[0] for key in ready_made.SHELF}
        for key in ("renewal", "review"):
            editing.switch(books[key].pk, on=True)
        passing.look()
        _start(rng, books["onboarding"], Stage.NEW, managers)
    for day in LOOKED_AT:
        with clock.at(span.instant(day)):
            passing.keep_up()
            if day == LOOKED_AT[1]:
                _start(rng, books["save"], Stage.AT_RISK, managers)
            _work(rng)
    with clock.at(span.instant(LOOKED_AT[-1])):
        _stop(books["save"], managers[0])
        editing.switch(books["save"].pk, on=True)


def _start(rng: Random, playbook: Playbook, stage: str, managers: list[User]) -> None:
    """By hand, with customers who are in that stage at the end."""
    found = Customer.objects.filter(facts__stage=stage, facts__mrr__gt=0, owner__in=managers, joined_at__lt=clock.now())
    ids = list(found.order_by("pk").values_list("pk", flat=True))
    starting.start_by_hand(playbook, rng.sample(ids, min(BY_HAND, len(ids))), managers[0])


def _work(rng: Random) -> None:
    """Most of what is due is done; a run of which nothing is left is finished."""
    due = Task.objects.filter(state=Task.State.OPEN, origin__startswith="playbook:", due_at__lt=clock.now() + WAITS)
    done = [task for task in due.order_by("pk") if rng.random() < DONE]
    now = clock.now()
    by_id = {task.pk: task for task in done}
    Task.objects.filter(pk__in=by_id).update(state=Task.State.DONE, closed_at=now, closed_by=F("assignee"))
    record(
        Happening(
            task.customer_id,
            "task.closed",
            now,
            "work",
            f"task:{pk}",
            {"task": pk, "title": task.title, "state": "done"},
            f"task:{pk}:{now.isoformat()}",
        )
        for pk, task in by_id.items()
    )
    running = PlaybookRun.objects.filter(state=PlaybookRun.State.RUNNING)
    ending.finish(list(running.values_list("pk", flat=True)))


def _stop(playbook: Playbook, by: User) -> None:
    """Two of them, by hand."""
    running = playbook.runs.filter(state=PlaybookRun.State.RUNNING).order_by("pk")
    ending.stop(list(running.values_list("pk", flat=True)[:2]), f"Stopped by {by}", by)
