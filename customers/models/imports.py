"""Files brought in: how their columns map, what became of them, and every row that was refused."""

from typing import ClassVar

from django.db import models

from retention.common import clock
from retention.workspace.models import Job


class ImportKind(models.TextChoices):
    CUSTOMERS = "customers", "Customers"
    ORDERS = "orders", "Orders"
    ORDER_LINES = "order_lines", "Order lines"
    CONTACTS = "contacts", "Contacts"
    SUBSCRIPTIONS = "subscriptions", "Subscriptions"
    PRODUCTS = "products", "Products"
    CASES = "cases", "Cases"


class ImportMapping(models.Model):
    """A saved way to read a kind of file. `spec` is described in customers/ingest/mapping.py."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, choices=ImportKind)
    spec = models.JSONField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Import(models.Model):
    """One file and the way it is read. Its job does the work and holds the summary."""

    Kind: ClassVar[type[ImportKind]] = ImportKind

    job = models.OneToOneField(Job, models.CASCADE, null=True, related_name="import_run")
    kind = models.CharField(max_length=20, choices=ImportKind)
    file = models.FileField(upload_to="imports/%Y/%m/")
    filename = models.CharField(max_length=300)
    spec = models.JSONField(default=dict)
    dry_run = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.filename

    def state_in_words(self) -> str:
        if self.job is None:
            return "Waits for its mapping"
        if self.dry_run:
            return (
                "Tried, not brought in"
                if self.job.state == Job.State.DONE
                else f"Trial: {self.job.get_state_display()}"
            )
        return "Brought in" if self.job.state == Job.State.DONE else self.job.get_state_display()


class RejectedRow(models.Model):
    """A row that was refused: where it stood, why, and what it said."""

    run = models.ForeignKey(Import, models.CASCADE, related_name="rejected")
    line = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=300)
    original = models.TextField()

    class Meta:
        ordering = ["run", "line"]
        indexes = [models.Index(fields=["run", "line"], name="rejected_by_line")]
