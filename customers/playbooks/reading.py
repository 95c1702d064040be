"""Runs as they are shown: how far they are, and what comes next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, Min, Q, QuerySet, Value, When

from customers.models import Playbook, PlaybookRun, RunStep, Task

CLOSED = ~Q(steps__task__state=Task.State.OPEN) & Q(steps__opened_at__isnull=False)


def playbooks() -> "QuerySet[Any]":
    """Each Playbook with `running`, `ended`: how many of its runs."""
    running = Count("runs", filter=Q(runs__state=PlaybookRun.State.RUNNING))
    found = Playbook.objects.select_related("segment").annotate(running=running, ended=Count("runs") - running)
    return found.order_by("name")


def runs() -> QuerySet[PlaybookRun]:
    """The latest first. Each has `total` and `done`, how many steps (those left out not counted), and `next_at`."""
    found = PlaybookRun.objects.select_related("playbook", "customer", "customer__owner", "started_by").annotate(
        total=Count("steps", filter=Q(steps__left_out=False)),
        done=Count("steps", filter=Q(steps__left_out=False) & CLOSED),
        next_at=Min("steps__due_at", filter=Q(steps__left_out=False, steps__opened_at=None)),
    )
    return found.order_by("-started_at", "-pk")


@dataclass(frozen=True)
class Step:
    """A step of a run, and how it stands: "left out", "to come", "open", "done" or "dropped"."""

    row: RunStep
    state: str

    @property
    def at(self) -> datetime | None:
        """When it was closed; else when it is due."""
        return self.row.task.closed_at if self.row.task and self.row.task.closed_at else self.row.due_at


def steps_of(run: PlaybookRun) -> list[Step]:
    """In their order. One query."""
    standing = Case(
        When(left_out=True, then=Value("left out")),
        When(opened_at=None, then=Value("to come")),
        default=F("task__state"),
        output_field=CharField(),
    )
    rows = run.steps.select_related("task__assignee", "task__closed_by", "person").annotate(standing=standing)
    over = run.state != PlaybookRun.State.RUNNING
    return [Step(row, "not begun" if over and row.standing == "to come" else row.standing or "done") for row in rows]
