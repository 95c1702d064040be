"""Offers made to keep a customer: what is given, what it costs, who answers for it, and whether they stayed."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from customers.models import Customer
from retention.common import clock
from retention.workspace.models import User


class Kind(models.TextChoices):
    DISCOUNT = "discount", "Discount"
    CREDIT = "credit", "Credit"
    FREE_MONTHS = "free_months", "Free months"
    UPGRADE = "upgrade", "Upgrade"
    TRAINING = "training", "Training session"


class Reason(models.TextChoices):
    """Why they might leave, as whoever makes the offer sees it."""

    PRICE = "price", "Too expensive for them"
    COMPETITOR = "competitor", "Looking at another supplier"
    UNUSED = "unused", "Not using it enough"
    SERVICE = "service", "Something went wrong on our side"
    MISSING = "missing", "Something is missing for them"
    RENEWAL = "renewal", "A renewal is due"
    OTHER = "other", "Another reason"


class Outcome(models.TextChoices):
    """Whether they were active 90 days after the grant, on the workspace's basis (METRICS, Conventions)."""

    KEPT = "kept", "Kept"
    LOST = "lost", "Lost"


class Offer(models.Model):
    """Something given to one customer, or asked for.

    `cost` is what it costs in `currency`, worked out by `formula` when it was made and never again. `answerable` is
    whose budget it comes out of: whoever granted it on the spot, or whoever approved it. `customer_ceiling` and
    `month_ceiling` are what the customer's year and the answerable person's month could bear by the limits of that
    moment, None without a limit; the database holds what is spent below them (Budget).
    """

    class State(models.TextChoices):
        ASKED = "asked", "Waiting for approval"
        GRANTED = "granted", "Granted"
        DECLINED = "declined", "Declined"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="offers", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    months = models.PositiveSmallIntegerField(null=True)
    amount = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, help_text="A credit, or what the higher plan costs more a month."
    )
    plan = models.CharField(max_length=100, blank=True)
    sessions = models.PositiveSmallIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=4)
    currency = models.CharField(max_length=3)
    formula = models.CharField(max_length=200)
    reason = models.CharField(max_length=12, choices=Reason)
    note = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    over = models.JSONField(default=list, help_text="The limits it goes beyond, in words; empty where within.")
    approver = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", help_text="Empty: any administrator."
    )
    expires_at = models.DateTimeField(null=True, help_text="When nobody's answer counts as no.")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True, help_text="What the approver had to say.")
    granted_at = models.DateTimeField(null=True)
    answerable = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    month = models.DateField(null=True, help_text="The month of the workspace's zone in which it is spent.")
    customer_ceiling = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    month_ceiling = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    used_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=4, choices=Outcome, blank=True)
    basis = models.CharField(max_length=12, blank=True, help_text="By which they counted as active.")
    settled_at = models.DateTimeField(null=True)
    once = models.UUIDField(default=uuid.uuid4, unique=True, help_text="Of the form it came by: sent twice is once.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["customer", "-asked_at"], name="offer_by_customer"),
            models.Index(fields=["-asked_at", "-id"], name="offer_by_time"),
            models.Index(fields=["expires_at"], condition=Q(state="asked"), name="offer_waiting"),
            models.Index(fields=["granted_at"], condition=Q(state="granted", outcome=""), name="offer_unsettled"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="discount", percent__gt=0, percent__lte=100, months__gte=1)
                | Q(kind="credit", amount__gt=0)
                | Q(kind="free_months", months__gte=1)
                | (Q(kind="upgrade", amount__gt=0, months__gte=1) & ~Q(plan=""))
                | Q(kind="training", sessions__gte=1),
                name="offer_is_whole",
            ),
            models.CheckConstraint(condition=Q(cost__gte=0), name="offer_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "declined", "expired", "withdrawn"])
                | Q(granted_at__isnull=False, answerable__isnull=False, month__isnull=False),
                name="offer_granted_has_who",
            ),
            models.CheckConstraint(condition=~Q(decided_by=F("asked_by")), name="nobody_decides_their_own"),
            models.CheckConstraint(
                condition=Q(outcome="", settled_at__isnull=True)
                | Q(state="granted", outcome__in=["kept", "lost"], settled_at__isnull=False),
                name="offer_outcome_of_granted",
            ),
            models.CheckConstraint(condition=Q(used_at__isnull=True) | Q(state="granted"), name="offer_used_stays"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def waits(self) -> bool:
        return self.state == self.State.ASKED

    @property
    def can_go_back(self) -> bool:
        """Whether it can still be withdrawn: asked for, or granted and not used, nor its outcome known."""
        return self.waits or (self.state == self.State.GRANTED and not self.used_at and not self.outcome)
