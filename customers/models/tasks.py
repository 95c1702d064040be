"""Work for account managers."""

from django.db import models
from django.db.models import Q

from customers.models.records import Customer
from retention.common import clock
from retention.workspace.models import User


class Task(models.Model):
    """Something to do for a customer, and why. `origin` names what asked for it, and asks only once.

    One from a file has the other system's id as `external_id`.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        DROPPED = "dropped", "Dropped"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="tasks")
    title = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    due_at = models.DateTimeField()
    put_off_until = models.DateTimeField(null=True, help_text="Not shown on Today before that day.")
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="tasks")
    origin = models.CharField(max_length=120, blank=True, help_text="As kind:id; empty where a person wrote it.")
    created_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    closed_by_key = models.CharField(max_length=100, blank=True, db_default="", editable=False)
    external_id = models.CharField(max_length=200, blank=True, db_default="", editable=False, db_collation="C")
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [
            models.Index(fields=["assignee", "due_at"], condition=Q(state="open"), name="task_open_by_person"),
            models.Index(
                fields=["put_off_until"], condition=Q(state="open", put_off_until__isnull=False), name="task_snoozed"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "origin"], condition=~Q(origin=""), name="task_once_per_origin"
            ),
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="task_once_by_external_id"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="task_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def who_closed(self) -> str:
        """The program that closed it by its key, in somebody's name; else that person, or nobody who is known."""
        return f"API key {self.closed_by_key}" if self.closed_by_key else str(self.closed_by or "")
