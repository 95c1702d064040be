"""Segments and who was in them when."""

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
