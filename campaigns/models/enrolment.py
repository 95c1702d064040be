"""Who went into a campaign, in which arm, and who was refused by which gate."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from customers.models import Customer


class Arm(models.TextChoices):
    TREATED = "treated", "Gets the messages"
    CONTROL = "control", "Held out as control"


class Enrolment(models.Model):
    """One customer's way through a campaign. The arm is decided before anything is sent and never changes.

    `occurrence` is the segment membership that brought them in. `gates` keeps what each gate found at that moment:
    a list of {"gate", "passed", "found"}.
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="enrolments", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="enrolments", db_index=False)
    occurrence = models.BigIntegerField()
    arm = models.CharField(max_length=10, choices=Arm)
    gates = models.JSONField()
    entered_at = models.DateTimeField()
    goal_met_at = models.DateTimeField(null=True, help_text="First order within the goal's time.")
    left_at = models.DateTimeField(null=True)
    left_because = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "customer", "occurrence"], name="enrolled_once_per_occurrence"),
            models.UniqueConstraint(
                fields=["campaign", "customer"], condition=Q(left_at__isnull=True), name="one_open_enrolment"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "campaign"], name="enrolment_by_customer"),
            models.Index(fields=["entered_at"], condition=Q(left_at__isnull=True), name="enrolment_open"),
        ]


class Refusal(models.Model):
    """A customer who came to a campaign and was stopped by a gate."""

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="refusals", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="refusals", db_index=False)
    occurrence = models.BigIntegerField()
    gate = models.CharField(max_length=40, help_text="The first gate that failed.")
    gates = models.JSONField()
    refused_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "customer", "occurrence"], name="refused_once_per_occurrence")
        ]
        indexes = [models.Index(fields=["customer", "campaign"], name="refusal_by_customer")]
