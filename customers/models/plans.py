"""Success plans: what is agreed with a customer to reach, by when, and who sees to it on either side."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from customers.models.contacts import Contact
from customers.models.records import Customer
from retention.common import clock
from retention.workspace.models import User


class SuccessPlan(models.Model):
    """A roadmap for one customer. It is drawn up, agreed with somebody there, and reached or dropped in the end."""

    class State(models.TextChoices):
        DRAFT = "draft", "Being drawn up"
        AGREED = "agreed", "Agreed"
        REACHED = "reached", "Reached"
        DROPPED = "dropped", "Dropped"

    OPEN = (State.DRAFT, State.AGREED)

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="plans", db_index=False)
    title = models.CharField(max_length=200)
    summary = models.TextField("what it is about", max_length=2_000, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_with = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer"], name="plan_by_customer"),
            models.Index(fields=["-created_at"], condition=Q(closed_at=None), name="plan_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="plan_has_title"),
            models.CheckConstraint(condition=~Q(state="agreed") | Q(agreed_at__isnull=False), name="plan_agreed_when"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "agreed"], closed_at=None)
                | Q(state__in=["reached", "dropped"], closed_at__isnull=False),
                name="plan_closed_when",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class Goal(models.Model):
    """What the customer wants to reach, and how one will know."""

    plan = models.ForeignKey(SuccessPlan, models.CASCADE, related_name="goals")
    text = models.CharField("goal", max_length=300)
    measure = models.CharField("how we will know", max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="goal_says_something")]

    def __str__(self) -> str:
        return self.text


class Milestone(models.Model):
    """A step by a day. `slipped_from` is the day that passed, or will have, without it being done, as it was told."""

    class State(models.TextChoices):
        OPEN = "open", "To do"
        DONE = "done", "Done"
        DROPPED = "dropped", "Dropped"

    plan = models.ForeignKey(SuccessPlan, models.CASCADE, related_name="milestones")
    goal = models.ForeignKey(Goal, models.SET_NULL, null=True, blank=True, related_name="milestones")
    title = models.CharField("milestone", max_length=200)
    due_on = models.DateField("by")
    ours = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="milestones", verbose_name="who sees to it here"
    )
    theirs = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="milestones", verbose_name="who sees to it there"
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    note = models.CharField(max_length=500, blank=True, help_text="For colleagues: the customer does not see it.")
    done_at = models.DateTimeField(null=True, blank=True)
    slipped_from = models.DateField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["due_on", "id"]
        indexes = [models.Index(fields=["due_on"], condition=Q(state="open"), name="milestone_open_by_day")]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="milestone_says_something"),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False) | ~Q(state="done") & Q(done_at=None),
                name="milestone_done_when",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PlanLink(models.Model):
    """A way for the customer to read a plan, until it ends or is taken back. The address itself is signed, not kept."""

    plan = models.ForeignKey(SuccessPlan, models.CASCADE, related_name="links")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]

    def works(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at
