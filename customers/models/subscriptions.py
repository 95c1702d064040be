"""Recurring contracts: what was agreed from when until when, and the movements of monthly revenue that follow."""

from datetime import UTC, datetime
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.functions import Coalesce, Collate, Lower

from customers.models.records import Customer
from customers.subscriptions.notice import NoticeUntil
from retention.common import clock

#: The last day on which notice can be given, in no workspace's zone: for an index, which can't know it.
LAST_DAY = NoticeUntil("renews_at", "notice_days", Value("UTC"))
#: Puts what does not renew after everything that does.
RENEWS = Coalesce("renews_at", Value(datetime(9999, 1, 1, tzinfo=UTC)))


class Subscription(models.Model):
    """A recurring contract. What is paid for it is in its terms; it is in force while one of them is.

    `renews_at` ends what the customer is bound to: then it goes on by itself (`auto_renews`), or its last term ends.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="subscriptions", db_index=False)
    external_id = models.CharField(max_length=200, unique=True, db_collation="C")
    renews_at = models.DateTimeField(null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(default=0, help_text="Before the renewal, to say that it ends.")
    auto_renews = models.BooleanField(default=True)
    cancelled_at = models.DateTimeField(null=True, blank=True, help_text="When it was asked for, not when it ends.")
    cancel_reason = models.CharField(max_length=200, blank=True)
    turns_at = models.DateTimeField(null=True, blank=True, help_text="When time alone next renews or ends it.")
    source = models.CharField(max_length=100, blank=True)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer"], name="subscription_by_customer"),
            models.Index(fields=["turns_at"], condition=Q(turns_at__isnull=False), name="subscription_by_turn"),
            models.Index(fields=["renews_at"], condition=Q(renews_at__isnull=False), name="subscription_by_renewal"),
            models.Index(LAST_DAY, condition=Q(renews_at__isnull=False), name="subscription_by_last_day"),
            models.Index(RENEWS, "id", name="subscription_listed"),
            models.Index(RENEWS, "id", condition=Q(turns_at=None), name="subscription_settled_listed"),
        ]
        constraints = [
            # For the terms' key over both columns, which keeps a term with its subscription's customer.
            models.UniqueConstraint(fields=["id", "customer"], name="subscription_with_customer"),
            models.CheckConstraint(condition=~Q(external_id=""), name="subscription_has_id"),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(renews_at__isnull=True), name="cancelled_renews_no_more"
            ),
        ]

    def __str__(self) -> str:
        return self.external_id


class Interval(models.TextChoices):
    WEEK = "week", "Week"
    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"
    YEAR = "year", "Year"


#: Intervals in a year. MRR is a year's amount over 12 (METRICS, Recurring revenue: year/12, quarter/3, week × 52/12).
PER_YEAR = {Interval.WEEK: 52, Interval.MONTH: 12, Interval.QUARTER: 4, Interval.YEAR: 1}
_YEARLY = Case(*(When(interval=name, then=Value(times)) for name, times in PER_YEAR.items()))


def long_terms(prefix: str = "") -> Q:
    """Terms that somebody is asked about before they renew; what renews every week or month renews by itself."""
    long = {f"{prefix}interval__in": [Interval.QUARTER, Interval.YEAR]}
    return Q(**long) | Q(**{f"{prefix}interval_count__gt": 2})


#: What a plan is found by the beginning of.
CALLED = Collate(Lower("plan"), "C")


class SubscriptionTerm(models.Model):
    """What was agreed on a subscription over a span of time, `[valid_from, valid_to)`; an open one has no end.

    A change ends one term and begins the next, so that what stood at any past instant is a query. `amount` is for the
    whole quantity and one interval (`interval_count` weeks, months, quarters or years), without tax and one-off
    charges, before the discount in per cent. The database refuses two terms of one subscription at one instant.
    """

    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="terms", db_index=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    plan = models.CharField(max_length=100)
    quantity = models.PositiveIntegerField(default=1)
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    currency = models.CharField(max_length=3)
    interval = models.CharField(max_length=10, choices=Interval, default=Interval.MONTH)
    interval_count = models.PositiveSmallIntegerField(default=1)
    discount = models.DecimalField("discount in %", max_digits=5, decimal_places=2, default=0)
    mrr = models.GeneratedField(
        expression=F("amount") * (100 - F("discount")) * _YEARLY / (1200 * F("interval_count")),
        output_field=models.DecimalField(max_digits=24, decimal_places=10),
        db_persist=True,
    )

    class Meta:
        indexes = [
            models.Index(fields=["customer", "valid_from"], name="term_by_customer"),
            models.Index(fields=["valid_from"], name="term_by_start"),
            models.Index(CALLED, "subscription", name="term_by_plan"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "valid_from"], name="term_once_per_instant"),
            ExclusionConstraint(
                name="terms_do_not_overlap",
                expressions=[
                    (
                        Func(
                            "subscription_id",
                            "subscription_id",
                            Value("[]"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func("valid_from", "valid_to", function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="term_ends_after"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, discount__range=(0, 100), interval_count__range=(1, 120)),
                name="term_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} × {self.quantity}"


class MovementKind(models.TextChoices):
    """What a change of a customer's MRR is (METRICS, Recurring revenue)."""

    NEW = "new", "New"
    EXPANSION = "expansion", "Expansion"
    CONTRACTION = "contraction", "Contraction"
    CHURN = "churn", "Churn"
    REACTIVATION = "reactivation", "Reactivation"


class MrrMovement(models.Model):
    """By how much a customer's MRR in one currency changed over a day of the workspace's zone, and what that is.

    A rollup of the terms that have begun or ended by now, folded with the facts. No row: nothing changed that day.
    """

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="mrr_movements", db_index=False)
    currency = models.CharField(max_length=3)
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=MovementKind)
    before = models.DecimalField(max_digits=28, decimal_places=10)
    after = models.DecimalField(max_digits=28, decimal_places=10)
    delta = models.GeneratedField(
        expression=F("after") - F("before"),
        output_field=models.DecimalField(max_digits=28, decimal_places=10),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "currency", "day"], name="one_movement_a_day"),
            models.CheckConstraint(
                condition=Q(kind__in=["new", "reactivation"], before=0, after__gt=0)
                | Q(kind="churn", before__gt=0, after=0)
                | Q(kind="expansion", before__gt=0, after__gt=F("before"))
                | Q(kind="contraction", after__gt=0, before__gt=F("after")),
                name="movement_is_of_its_kind",
            ),
        ]
        indexes = [models.Index(fields=["day"], name="movement_by_day")]
