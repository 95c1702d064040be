"""Files brought in: how their columns map, what became of them, what they changed, and every row that was refused."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
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
    INTERACTIONS = "interactions", "Interactions"
    TASKS = "tasks", "Tasks"
    EVENTS = "events", "Events"


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
    fingerprint = models.CharField(max_length=64, blank=True, help_text="Of the file and how it is read.")
    mark = models.JSONField(default=dict, help_text="What tells whether anything was written since it was brought in.")
    undo_job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="undone_import")
    undone_at = models.DateTimeField(null=True, help_text="When what it brought was last taken back.")
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.filename

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Its jobs, of which one at most is open."""
        return tuple(job for job in (self.job, self.undo_job) if job is not None)

    @property
    def is_in(self) -> bool:
        """Whether it is brought in, and not taken back since."""
        return bool(self.job and self.job.state == Job.State.DONE and not self.dry_run and not self.undone_at)

    @property
    def kept_until(self) -> datetime:
        """When its file may go (customers/ingest/stored.py)."""
        ended = self.job.finished_at if self.job else None
        return (ended or self.created_at) + settings.IMPORT_FILES_KEPT

    def state_in_words(self) -> str:
        if self.undone_at:
            return "Taken back"
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


class ImportChange(models.Model):
    """What a run of an import did to rows of one table, so that it can be taken back.

    Rows it made: `first` to `last`, ids without a gap. A row it changed: `before` and `after` hold the columns that
    differ. A row it removed: `before` holds all of it. `at` is the run's instant, by which two runs are told apart.
    Without a run: a row that does not tell itself that it was changed, by the API or an import that was forgotten.
    """

    run = models.ForeignKey(Import, models.CASCADE, null=True, related_name="changes", db_index=False)
    at = models.DateTimeField()
    table = models.CharField(max_length=63, db_collation="C")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["run", "table", "first"], name="import_change_by_run"),
            models.Index(fields=["table", "first"], name="import_change_by_row"),
        ]


class ImportKept(models.Model):
    """A row that an undo left as it is, and why. `noun` says what it is: order, case …"""

    run = models.ForeignKey(Import, models.CASCADE, related_name="kept", db_index=False)
    noun = models.CharField(max_length=30)
    row_id = models.BigIntegerField()
    name = models.CharField(max_length=300)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["run", "id"]
        indexes = [models.Index(fields=["run", "id"], name="import_kept_by_run")]


class ImportExample(models.Model):
    """A row as a trial would change it: the columns that differ, before and after. `noun` as for those kept."""

    run = models.ForeignKey(Import, models.CASCADE, related_name="examples", db_index=False)
    noun = models.CharField(max_length=30)
    row_id = models.BigIntegerField()
    name = models.CharField(max_length=300)
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        ordering = ["run", "id"]
        indexes = [models.Index(fields=["run", "id"], name="import_example_by_run")]
