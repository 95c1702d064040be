"""How well a relationship stands: by what it is measured, what it came to, and how it came about."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from customers.models.records import Customer
from customers.models.segments import Segment
from retention.common import clock

#: The position of the profile for everybody else.
LAST = 32_767


class HealthBand(models.TextChoices):
    """What a score from 0 to 100 means. Without a score there is no band."""

    GOOD = "good", "Good"
    WATCH = "watch", "Watch"
    POOR = "poor", "Poor"


class HealthSettings(models.Model):
    """What holds for every profile; one row, or none as long as nobody has changed anything."""

    good_from = models.PositiveSmallIntegerField("good from", default=70)
    watch_from = models.PositiveSmallIntegerField("watch from", default=40)
    least_coverage = models.PositiveSmallIntegerField("least coverage", default=30)
    drop_points = models.PositiveSmallIntegerField("points of a drop", default=15)
    drop_days = models.PositiveSmallIntegerField("days of a drop", default=30)
    drop_by_band = models.BooleanField("a worse band is a drop", default=True)
    latest_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="health_settings_is_single"),
            models.CheckConstraint(
                condition=Q(watch_from__gt=0, good_from__gt=F("watch_from"), good_from__lte=100),
                name="health_bands_in_order",
            ),
            models.CheckConstraint(condition=Q(least_coverage__range=(1, 100)), name="health_coverage_in_percent"),
            models.CheckConstraint(
                condition=Q(drop_points__range=(1, 100), drop_days__range=(1, 365)), name="health_drop_is_possible"
            ),
        ]

    @classmethod
    def current(cls) -> "HealthSettings":
        return cls.objects.filter(id=1).first() or cls(id=1)


class HealthProfile(models.Model):
    """By what the customers of a segment are measured. The first in the order that fits is theirs.

    Without a segment it is everybody else's. `inputs`: by key of `customers.health.inputs`, the `weight` (from 0 to
    10), and the raw values that are worth 0 points (`worst`) and 100 (`best`). `version` is another with every
    change, so that scores by different measures are never compared.
    """

    name = models.CharField(max_length=60)
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="health_profiles")
    position = models.PositiveSmallIntegerField(default=LAST, help_text="Everybody else's comes last.")
    inputs = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=0, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "health profile"
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["segment"], nulls_distinct=False, name="one_health_profile_per_segment"),
            models.CheckConstraint(condition=~Q(name=""), name="health_profile_has_name"),
            models.CheckConstraint(
                condition=Q(segment=None, position=LAST) | Q(segment__isnull=False, position__lt=LAST),
                name="health_profile_for_everybody_else_is_last",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("customers:health_profile", args=[self.pk])


class Health(models.Model):
    """A customer's health as it is; `score` is empty where too little is known.

    `parts`: by input, its raw value, its points from 0 to 100 (both null without data) and its weight. `judged_since`:
    drops are looked for from then on, so that none is found twice. `fell_from` and `fell_to` are those of a drop
    that has not been made good yet.
    """

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="health")
    score = models.PositiveSmallIntegerField(null=True)
    band = models.CharField(max_length=5, choices=HealthBand, blank=True)
    coverage = models.PositiveSmallIntegerField(help_text="Percent of the weight that there is data for.")
    parts = models.JSONField()
    version = models.PositiveIntegerField()
    judged_since = models.DateTimeField()
    fell_from = models.PositiveSmallIntegerField(null=True)
    fell_to = models.PositiveSmallIntegerField(null=True)
    next_edge_at = models.DateTimeField(null=True, help_text="When time alone next changes it.")
    scored_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["next_edge_at"], name="health_by_edge", condition=Q(next_edge_at__isnull=False)),
            models.Index(fields=["customer"], name="health_fallen_of", condition=Q(fell_from__isnull=False)),
        ]

    def __str__(self) -> str:
        return "too little known" if self.score is None else f"{self.score} ({self.band})"


class HealthChange(models.Model):
    """History: what the health was from `at` on. One row for each change of the score, the band or the measure."""

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="health_changes", db_index=False)
    at = models.DateTimeField()
    score = models.PositiveSmallIntegerField(null=True)
    band = models.CharField(max_length=5, choices=HealthBand, blank=True)
    coverage = models.PositiveSmallIntegerField()
    parts = models.JSONField()
    version = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["customer", "at", "id"], name="health_change_by_customer")]

    def __str__(self) -> str:
        return f"{self.score} at {self.at:%Y-%m-%d %H:%M}"
