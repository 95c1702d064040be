"""Segments and who was in them when."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from customers.models.records import Customer
from retention.common import clock
from retention.workspace.models import User


class Segment(models.Model):
    """Customers that satisfy a rule. The rule's form and fields are checked by customers.segments.rules."""

    name = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=300, blank=True)
    rule = models.JSONField()
    size = models.PositiveIntegerField(default=0, help_text="As of computed_at.")
    by_hand = models.PositiveIntegerField(default=0, help_text="Customers put in or kept out by hand.")
    computed_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SegmentMembership(models.Model):
    """One stay of a customer in a segment; the present one has no end."""

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    # The indexes below begin with these two columns; a refresh writes many rows and pays for each index more.
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="memberships", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="memberships", db_index=False)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=Q(left_at__isnull=True), name="one_open_membership"
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gte=models.F("entered_at")), name="membership_ends_after"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "segment"], name="membership_by_customer"),
            models.Index(fields=["segment", "entered_at", "id"], name="membership_by_entry"),
            models.Index(fields=["segment", "left_at"], condition=Q(left_at__isnull=False), name="membership_by_exit"),
        ]


class Verdict(models.TextChoices):
    IN = "in", "Put in"
    OUT = "out", "Kept out"


class HandChange(models.Model):
    """One act by which somebody put customers in a segment, kept them out, or left them to the rule again."""

    class Act(models.TextChoices):
        IN = "in", "Put in"
        OUT = "out", "Kept out"
        RULE = "rule", "Left to the rule"

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="hand_changes")
    act = models.CharField(max_length=4, choices=Act)
    reason = models.CharField(max_length=300, blank=True)
    file_name = models.CharField(max_length=200, blank=True, help_text="Where a file brought them.")
    customers = models.PositiveIntegerField(default=0, help_text="Whom it changed something for.")
    unmatched = ArrayField(models.TextField(), default=list, help_text="What the file had that is nobody's.")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {self.customers}"


class HandPick(models.Model):
    """A customer whom a change put in or kept out; it holds until another change ended it. The rule gives way."""

    change = models.ForeignKey(HandChange, models.CASCADE, related_name="picks")
    segment = models.ForeignKey(Segment, models.CASCADE, related_name="hand_picks", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="hand_picks")
    verdict = models.CharField(max_length=3, choices=Verdict)
    ended_by = models.ForeignKey(HandChange, models.CASCADE, null=True, related_name="ended")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "customer"], condition=Q(ended_by__isnull=True), name="one_open_pick"
            )
        ]
        indexes = [
            models.Index(
                fields=["segment", "verdict", "customer"], condition=Q(ended_by__isnull=True), name="open_picks"
            )
        ]
