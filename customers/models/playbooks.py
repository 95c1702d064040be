"""Playbooks: tasks in an order, each on its day, gone through with a customer; and each such run."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from customers.models.facts import Stage
from customers.models.records import Customer
from customers.models.segments import Segment
from customers.models.tasks import Task
from retention.common import clock
from retention.workspace.models import User


class Playbook(models.Model):
    """What is done for a customer on an occasion. Its rule starts it while it is on; by hand it starts at any time.

    `segment`: for `Rule.SEGMENT`, the one that is entered; for the others, whom alone the rule starts it for.
    """

    class Rule(models.TextChoices):
        HAND = "hand", "Only by hand"
        NEW = "new", "When a customer becomes known"
        SEGMENT = "segment", "When a customer enters a segment"
        STAGE = "stage", "When a customer reaches a stage"
        RENEWAL = "renewal", "Some days before a renewal"
        QUARTER = "quarter", "Once a quarter"

    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    rule = models.CharField("starts", max_length=10, choices=Rule, default=Rule.HAND)
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="playbooks")
    stage = models.CharField(max_length=10, choices=Stage, blank=True)
    days_before = models.PositiveSmallIntegerField("days before", null=True, blank=True)
    ends_early = models.BooleanField("stop early", default=False)
    on_since = models.DateTimeField(null=True, blank=True, help_text="Since when the rule starts it; empty: it is off.")
    looked_at = models.DateTimeField(null=True, help_text="When renewals and quarters were last looked through for it.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="playbook_once", violation_error_message="Another playbook has this name."
            ),
            models.CheckConstraint(condition=~Q(name=""), name="playbook_has_name"),
            models.CheckConstraint(
                condition=(~Q(rule__in=["segment", "quarter"]) | Q(segment__isnull=False))
                & (~Q(rule="stage") | ~Q(stage=""))
                & (~Q(rule="renewal") | Q(days_before__range=(1, 365))),
                name="playbook_rule_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("customers:playbook", args=[self.pk])

    @property
    def by_renewal(self) -> bool:
        """Whether the days of its steps count from the renewal, and not from the start of a run."""
        return self.rule == self.Rule.RENEWAL


class Whose(models.TextChoices):
    """Who gets a step's task."""

    OWNER = "owner", "Whoever looks after the customer"
    LEAD = "lead", "The lead of the customer's team"
    PERSON = "person", "Somebody named"


class PlaybookStep(models.Model):
    """One task of a playbook. `offset_days` from the start of a run, or from the renewal: -60 is 60 days before it."""

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    offset_days = models.SmallIntegerField(default=0)
    title = models.CharField("what to do", max_length=200)
    reason = models.CharField("why", max_length=500, blank=True)
    whose = models.CharField("for", max_length=10, choices=Whose, default=Whose.OWNER)
    person = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "position"], name="playbook_step_place", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=Q(offset_days__range=(-365, 365)), name="playbook_step_in_a_year"),
        ]

    def __str__(self) -> str:
        return self.title


class PlaybookRun(models.Model):
    """A playbook gone through with a customer: never twice at once, and once for each `origin` (what started it)."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        STOPPED = "stopped", "Stopped"

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="runs", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="playbook_runs")
    origin = models.CharField(max_length=80, db_collation="C")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    counts_from = models.DateTimeField(help_text="The start, or the renewal, from which its steps' days count.")
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "customer"], condition=Q(state="running"), name="playbook_runs_once_at_a_time"
            ),
            models.UniqueConstraint(fields=["playbook", "customer", "origin"], name="playbook_once_per_origin"),
            models.CheckConstraint(
                condition=Q(state="running", ended_at__isnull=True) | ~Q(state="running") & Q(ended_at__isnull=False),
                name="playbook_run_ended_has_time",
            ),
        ]
        indexes = [models.Index(fields=["playbook", "state", "-started_at"], name="playbook_run_by_state")]

    def __str__(self) -> str:
        return f"{self.playbook}: {self.customer}"


class RunStep(models.Model):
    """A step of a run, as it was when the run began. Its task is opened on its day, `opens_at`."""

    run = models.ForeignKey(PlaybookRun, models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True)
    whose = models.CharField(max_length=10, choices=Whose)
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    opens_at = models.DateTimeField()
    due_at = models.DateTimeField()
    left_out = models.BooleanField(default=False, help_text="Its day was over when the run began.")
    opened_at = models.DateTimeField(null=True)
    task = models.OneToOneField(Task, models.SET_NULL, null=True, related_name="run_step")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="run_step_place")]
        indexes = [
            models.Index(
                fields=["opens_at"], condition=Q(opened_at__isnull=True, left_out=False), name="run_step_to_open"
            )
        ]

    def __str__(self) -> str:
        return self.title
