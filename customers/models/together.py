"""What was changed for many at once, and how it was before: so that it can be told, and taken back."""

from django.db import models
from django.db.models import Q

from retention.common import clock
from retention.workspace.models import Job, User


class ManyChange(models.Model):
    """A change of many rows of one list. `action` and `value` as `together.actions` names them, `words` as told."""

    class About(models.TextChoices):
        CUSTOMERS = "customers", "Customers"
        CASES = "cases", "Cases"

    about = models.CharField(max_length=10, choices=About)
    action = models.CharField(max_length=100)
    value = models.TextField(blank=True)
    words = models.CharField(max_length=300)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="many_change")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(action=""), name="many_change_says_what"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="many_change_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.words


class ChangedRow(models.Model):
    """A row that was changed, by its id, and what stood in the place of what was written; nothing for a tag."""

    change = models.ForeignKey(ManyChange, models.CASCADE, related_name="rows", db_index=False)
    row = models.BigIntegerField()
    before = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "row"], name="changed_once_in_a_change")]
