"""Cases: what customers asked for help with."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Case as Choice
from django.db.models import F, Func, Q, Value, When
from django.db.models.lookups import LessThan

from customers.models.records import Customer
from retention.common import clock
from retention.common.word_index import word_indexes
from retention.workspace.models import User

#: What a case is found by.
CASE_WORDS = ("subject", "external_id")
#: How long a customer may wait for an answer, by the case's priority.
ANSWER_WITHIN = {
    "urgent": timedelta(hours=4),
    "high": timedelta(days=1),
    "normal": timedelta(days=2),
    "low": timedelta(days=5),
}
#: The same for the database.
WITHIN = Choice(
    *(When(priority=priority, then=Value(span)) for priority, span in ANSWER_WITHIN.items()),
    output_field=models.DurationField(),
)
#: Until when it is to be answered, for an index: in UTC, where no day is longer than another.
TO_ANSWER = Func(Value("UTC"), F("opened_at"), function="timezone", output_field=models.DateTimeField()) + WITHIN
#: The list's own order: those that wait for an answer first, and by when it is due, in seconds.
RESOLVED = 2
PLACES = {"open": 0, "answered": 1, "resolved": RESOLVED}
WAITS = Choice(
    When(state="open", then=PLACES["open"]), When(state="answered", then=PLACES["answered"]), default=RESOLVED
)
DUE_SECOND = Func(Value("epoch"), TO_ANSWER, function="date_part", output_field=models.FloatField())


def due_at(opened_at: datetime, priority: str) -> datetime:
    """When a case is to be answered."""
    return opened_at + ANSWER_WITHIN[priority]


class Case(models.Model):
    """A support case. `answered_at` is our first answer; a rating is from 1 (bad) to 5."""

    class Priority(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"
        URGENT = "urgent", "Urgent"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        RESOLVED = "resolved", "Resolved"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="cases", db_index=False)
    external_id = models.CharField("reference", max_length=200, unique=True, db_collation="C")
    subject = models.CharField(max_length=300)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NORMAL)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    rated_at = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="cases")
    source = models.CharField(max_length=100, blank=True)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["customer", "-opened_at"], name="case_by_customer"),
            models.Index(fields=["opened_at"], name="case_by_time"),
            models.Index(fields=["opened_at"], condition=~Q(state="resolved"), name="case_unresolved"),
            models.Index(fields=["assignee", "customer"], condition=Q(state="open"), name="case_open_by_person"),
            models.Index(TO_ANSWER, condition=Q(state="open"), name="case_open_by_deadline"),
            models.Index(WAITS, DUE_SECOND, "id", name="case_listed"),
            models.Index(
                fields=["opened_at", "id"], condition=Q(LessThan(WAITS, RESOLVED)), name="case_unresolved_listed"
            ),
            *word_indexes("case_by_word", *CASE_WORDS),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(external_id=""), name="case_has_reference"),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False)
                | ~Q(state="resolved") & Q(resolved_at__isnull=True),
                name="case_resolved_with_its_instant",
            ),
            models.CheckConstraint(
                condition=Q(rating__isnull=True, rated_at__isnull=True)
                | Q(rating__range=(1, 5), rated_at__isnull=False),
                name="case_rating_from_1_to_5",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def due_at(self) -> datetime:
        """When it is to be answered."""
        return due_at(self.opened_at, self.priority)
