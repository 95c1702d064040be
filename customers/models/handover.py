"""Handing a book of customers from one manager to another, with what the next one should know."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from customers.models.records import Customer
from retention.common import clock
from retention.workspace.models import User


class HandOver(models.Model):
    """Who handed whose customers to whom. `tasks`, `milestones` and `cases` are the ids of those that went along."""

    giver = models.ForeignKey(User, models.PROTECT, related_name="+")
    receiver = models.ForeignKey(User, models.PROTECT, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    note = models.TextField(max_length=5_000, blank=True)
    tasks = ArrayField(models.BigIntegerField(), default=list)
    milestones = ArrayField(models.BigIntegerField(), default=list)
    cases = ArrayField(models.BigIntegerField(), default=list)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(giver=F("receiver")), name="handed_to_somebody_else"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="handover_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.giver} → {self.receiver}"


class HandedCustomer(models.Model):
    """A customer who went along, and what the giver noted about them."""

    handover = models.ForeignKey(HandOver, models.CASCADE, related_name="lines", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="handed")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["handover", "customer"], name="handed_once_per_handover")]
