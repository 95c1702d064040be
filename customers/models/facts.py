"""What follows from a customer's records and events: facts, lifecycle stage, monthly rollup.

Facts hold instants and never ages, so that time passing rewrites nothing. Rolling windows are folded again where a
window's edge is crossed (`next_edge_at`).
"""

from datetime import UTC, datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest

from customers.models.health import HealthBand
from customers.models.records import Customer
from retention.common import clock

#: Stands for "never" where instants are put in order.
NEVER = datetime(1, 1, 1, tzinfo=UTC)
#: Stands for "too little known" where scores are put in order.
UNKNOWN_HEALTH = 101
#: What is at stake with a customer in a year, as far as facts tell.
A_YEARS_WORTH = Greatest(F("mrr") * 12, F("revenue_365d"))


class Stage(models.TextChoices):
    """Where a customer stands. The rules are in customers/facts/stages.py."""

    PROSPECT = "prospect", "Prospect"
    NEW = "new", "New"
    ACTIVE = "active", "Active"
    LOYAL = "loyal", "Loyal"
    AT_RISK = "at_risk", "At risk"
    LAPSED = "lapsed", "Lapsed"
    WON_BACK = "won_back", "Won back"
    LOST = "lost", "Lost"


class CustomerFacts(models.Model):
    """One row per customer. Orders count net, cancelled ones not at all; money is in the workspace's currency alone."""

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="facts")
    # Orders
    first_order_at = models.DateTimeField(null=True)
    last_order_at = models.DateTimeField(null=True)
    orders = models.PositiveIntegerField(default=0)
    revenue = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    orders_foreign = models.PositiveIntegerField(
        default=0, help_text="In other currencies than the workspace's: counted, their money is in no sum."
    )
    orders_365d = models.PositiveIntegerField(default=0)
    revenue_365d = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    order_gap_days = models.FloatField(null=True, help_text="Mean days between order days; empty below two.")
    returned_at = models.DateTimeField(
        null=True, help_text="Latest order or subscription after a silence long enough to have lapsed."
    )
    # Usage
    last_usage_at = models.DateTimeField(null=True)
    usage_30d = models.PositiveIntegerField(default=0)
    usage_prior_30d = models.PositiveIntegerField(default=0)
    # Subscriptions
    mrr = models.DecimalField(
        max_digits=14, decimal_places=4, default=0, help_text="In the workspace's currency; other ones are left out."
    )
    subscribed_at = models.DateTimeField(null=True, help_text="Start of the first subscription.")
    renews_at = models.DateTimeField(null=True)
    churned_at = models.DateTimeField(null=True, help_text="End of the last subscription where none is in force.")
    # Listening and work
    nps_score = models.PositiveSmallIntegerField(null=True)
    nps_at = models.DateTimeField(null=True)
    open_tasks = models.PositiveIntegerField(default=0)
    open_cases = models.PositiveIntegerField(default=0)
    csat_score = models.PositiveSmallIntegerField(null=True, help_text="Latest rating of a case, from 1 to 5.")
    csat_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField(null=True)
    last_click_at = models.DateTimeField(null=True)
    last_open_at = models.DateTimeField(null=True)
    last_talk_at = models.DateTimeField(null=True, help_text="Latest call, meeting, e-mail or chat; a note is none.")
    # Health, written by customers/health/scoring.py and not by folding
    health = models.PositiveSmallIntegerField(null=True, help_text="From 0 to 100; empty: too little known.")
    health_band = models.CharField(max_length=5, choices=HealthBand, blank=True, default="", db_default="")
    health_dropped_at = models.DateTimeField(null=True)
    # Lifecycle
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.PROSPECT)
    stage_since = models.DateTimeField(null=True)
    # Folding
    next_edge_at = models.DateTimeField(null=True, help_text="When time alone next changes a window or the stage.")
    folded_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["last_order_at"], name="facts_by_last_order"),
            models.Index(fields=["next_edge_at"], name="facts_by_edge"),
            models.Index(fields=["renews_at"], condition=Q(renews_at__isnull=False), name="facts_by_renewal"),
            models.Index(A_YEARS_WORTH, condition=Q(stage="at_risk"), name="facts_at_risk_by_worth"),
            models.Index(fields=["customer"], condition=Q(stage="at_risk"), name="facts_at_risk"),
            # The orders of the customers list.
            models.Index(Coalesce("last_order_at", Value(NEVER)), "customer", name="facts_listed_by_last_order"),
            models.Index(fields=["revenue", "customer"], name="facts_listed_by_revenue"),
            models.Index(fields=["mrr", "customer"], name="facts_listed_by_mrr"),
            # The same within a stage: who has lapsed pays nothing, and the list by MRR begins with all who pay.
            models.Index(
                "stage", Coalesce("last_order_at", Value(NEVER)), "customer", name="facts_in_stage_by_last_order"
            ),
            models.Index(fields=["stage", "revenue", "customer"], name="facts_in_stage_by_revenue"),
            models.Index(fields=["stage", "mrr", "customer"], name="facts_in_stage_by_mrr"),
            # The least healthy first; whose health is not known, last.
            models.Index(Coalesce("health", Value(UNKNOWN_HEALTH)), "customer", name="facts_listed_by_health"),
            models.Index(fields=["health_band"], condition=~Q(health_band=""), name="facts_by_health_band"),
            models.Index(
                fields=["health_dropped_at"], condition=Q(health_dropped_at__isnull=False), name="facts_by_health_drop"
            ),
        ]


class StagePeriod(models.Model):
    """The time a customer spent in a stage; the open one has no end."""

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="stage_periods", db_index=False)
    stage = models.CharField(max_length=10, choices=Stage)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=Q(left_at__isnull=True), name="one_open_stage")
        ]
        indexes = [models.Index(fields=["customer", "entered_at"], name="stage_by_customer")]


class CustomerMonth(models.Model):
    """A customer's orders in one calendar month of the workspace's zone, with their cohort on the row.

    Three conventions side by side: `all` counts every order and credit note, `kept` leaves cancelled and refunded ones
    out, `paid` is `kept` with a positive amount. A cohort is the month of the customer's first order so counted.
    """

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="months", db_index=False)
    month = models.DateField()
    cohort_all = models.DateField()
    cohort_kept = models.DateField(null=True)
    cohort_paid = models.DateField(null=True)
    orders_all = models.PositiveIntegerField(default=0)
    orders_kept = models.PositiveIntegerField(default=0)
    orders_paid = models.PositiveIntegerField(default=0)
    revenue_all = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    revenue_kept = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    revenue_paid = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    orders_foreign = models.PositiveIntegerField(default=0, help_text="In other currencies: their money is left out.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "month"], name="one_row_per_customer_month")]
        indexes = [models.Index(fields=["month"], name="customer_month_by_month")]


class Dirty(models.Model):
    """A mark: this customer's facts must be folded again for a reason that is no event, such as an edit.

    Marks are appended, never merged: a mark that had to wait for, or give way to, another's could be lost between a
    router that deletes the old one and a writer who has not committed yet.
    """

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)


class FoldedUnder(models.Model):
    """The workspace's settings that the facts of everybody were folded under; one row."""

    time_zone = models.CharField(max_length=64)
    activity_window = models.PositiveSmallIntegerField()
    currency = models.CharField(max_length=3, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="folded_under_is_single")]


class ValueScale(models.Model):
    """Where the fifths of buyers by recency, frequency and money begin (METRICS, Segments by value); one row.

    Each has the least value of fifths 2 to 5, infinity where ties leave a fifth empty. A customer's scores are their
    facts on this scale, so that a change of their own touches nobody else's until the scale is taken anew.
    """

    taken_at = models.DateTimeField()
    buyers = models.PositiveIntegerField()
    recency = ArrayField(models.FloatField(), size=4, help_text="Midnights, in seconds since 1970.")
    frequency = ArrayField(models.FloatField(), size=4)
    money = ArrayField(models.FloatField(), size=4)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="value_scale_is_single")]
