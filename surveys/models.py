"""Surveys, whom they were put to, and what was answered."""

from django.db import models
from django.db.models import Q

from customers.models import Customer
from retention.common import clock
from retention.workspace.models import User


class Survey(models.Model):
    """An NPS survey: how likely to recommend, 0–10, then why."""

    name = models.CharField(max_length=120, unique=True)
    question = models.CharField(max_length=300)
    follow_up = models.CharField("follow-up question", max_length=300)
    thanks = models.CharField("thank-you text", max_length=500)
    open_days = models.PositiveSmallIntegerField(default=30, help_text="How long an invitation can be answered.")
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Invitation(models.Model):
    """One customer asked once. `origin` names what asked (message:12), so that asking again is the same invitation."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="invitations")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="invitations")
    origin = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["survey", "customer", "origin"], name="invited_once_per_origin")]


class Answer(models.Model):
    """What a customer said. Answers typed in by staff are marked, for good, and left out of the score."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="answers")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="answers")
    invitation = models.OneToOneField(Invitation, models.CASCADE, null=True, related_name="answer")
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True, max_length=5_000)
    weight = models.FloatField(default=1)
    typed_in = models.BooleanField(default=False, help_text="By staff, also once that person's account is gone.")
    entered_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(score__lte=10), name="nps_score_0_to_10"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="answer_weight_positive"),
            models.CheckConstraint(
                condition=Q(typed_in=True) | Q(entered_by__isnull=True), name="answer_by_staff_is_marked"
            ),
        ]
        indexes = [models.Index(fields=["survey", "customer", "-answered_at"], name="answer_latest")]

    @property
    def group(self) -> str:
        """promoter, passive or detractor."""
        return "detractor" if self.score <= 6 else "passive" if self.score <= 8 else "promoter"
