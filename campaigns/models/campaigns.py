"""A campaign: whom it takes in, what it sends, when it lets go."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from customers.models import Segment
from retention.common import clock
from retention.workspace.models import User
from surveys.models import Survey


class Campaign(models.Model):
    """A journey: customers who enter the trigger segment and pass the gates are enrolled, some held out as control.

    Triggers in the database keep its life to draft → running ⇄ paused → finished, and its content as it was launched.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        FINISHED = "finished", "Finished"

    name = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    # Whom
    segment = models.ForeignKey(Segment, models.PROTECT, related_name="campaigns")
    take_present = models.BooleanField(
        "take in those already in the segment", default=True, help_text="Otherwise only those who enter from now on."
    )
    not_in = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="+")
    rest_days = models.PositiveSmallIntegerField(
        default=7, help_text="Leave out customers who got a message within so many days."
    )
    spare_controls = models.BooleanField(
        default=True, help_text="Leave out customers whom another campaign holds out, until it has judged them."
    )
    again_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=90,
        help_text="Who was in it may enter again so many days after entering. Empty: never; 0: once they have left it.",
    )
    holdout_share = models.DecimalField(
        "held out as control, in %",
        max_digits=4,
        decimal_places=1,
        default=Decimal(10),
        validators=[MinValueValidator(0), MaxValueValidator(90)],
    )
    # Goal
    goal_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1)],
        help_text="An order within so many days meets the goal.",
    )
    # Life
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    version = models.PositiveIntegerField(default=0, help_text="Goes up with each save; a stale one is refused.")
    edited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    edited_at = models.DateTimeField(default=clock.now)
    launched_at = models.DateTimeField(null=True)
    launched_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(holdout_share__gte=0, holdout_share__lte=90), name="holdout_0_to_90"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(launched_at__isnull=False), name="launched_campaign_has_time"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EmailStep(models.Model):
    """One e-mail of a campaign, in Liquid. `wait_hours` pass before it, counted from the enrolment."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(default=1)
    wait_hours = models.PositiveIntegerField(default=0)
    subject = models.CharField(max_length=200)
    preheader = models.CharField(max_length=200, blank=True)
    body = models.TextField(help_text="HTML with Liquid.")
    survey = models.ForeignKey(Survey, models.PROTECT, null=True, blank=True, related_name="+")
    send_within_hours = models.PositiveIntegerField(
        default=168, validators=[MinValueValidator(1)], help_text="Not sent any more once so many hours late."
    )

    class Meta:
        ordering = ["campaign", "position"]
        constraints = [models.UniqueConstraint(fields=["campaign", "position"], name="one_step_per_position")]
