"""Customers who may be one and the same, customers made one, and what to do to have two again."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from customers.models.records import Customer
from retention.common import clock
from retention.workspace.models import User


class Unmatched(models.Model):
    """A mark: what tells this customer from others has changed. Triggers write them (migration 0020)."""

    customer_id = models.BigIntegerField()


class MatchKey(models.Model):
    """One trait by which customers are compared: a hash of the address, number, domain or name in its plain form."""

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    class Trait(models.IntegerChoices):
        EMAIL = 1, "same e-mail address"
        PHONE = 2, "same phone number"
        DOMAIN = 3, "same e-mail domain"
        NAME = 4, "same name"
        SOUND = 5, "similar name"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    trait = models.PositiveSmallIntegerField(choices=Trait)
    value = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "trait", "value"], name="match_key_once")]
        indexes = [models.Index(fields=["value", "trait", "customer"], name="match_key_by_value")]


class Likeness(models.Model):
    """Two customers who may be the same, and why. A dismissed one stays, so that it is not suggested again.

    `reasons`: a list of {"why", "what"}; `score`: of 100, how sure it is.
    """

    GOES_WITH_CUSTOMER: ClassVar[bool] = True

    low = models.ForeignKey(Customer, models.CASCADE, related_name="+", db_index=False)
    high = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField()
    found_at = models.DateTimeField(default=clock.now)
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="likeness_once"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="likeness_of_two"),
        ]
        indexes = [
            models.Index(fields=["-score", "id"], condition=Q(dismissed_at__isnull=True), name="likeness_by_score")
        ]


class Merge(models.Model):
    """One customer taken into another: who did it, when and why. `xact` is the transaction that moves the rows."""

    survivor_id = models.BigIntegerField()
    loser_id = models.BigIntegerField()
    survivor_name = models.CharField(max_length=300)
    loser_name = models.CharField(max_length=300)
    loser_external_id = models.CharField(max_length=200, db_collation="C")
    why = models.CharField(max_length=300, blank=True)
    once = models.UUIDField(default=uuid.uuid4, unique=True, help_text="Of the form it came by: sent twice is once.")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    left = models.JSONField(default=dict, help_text="As it was left: consents, and the latest row of each kind.")
    stayed = models.JSONField(default=list, help_text="After undoing, what stayed with the survivor: {what, count}.")
    xact = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["survivor_id"], name="merge_by_survivor"),
            models.Index(fields=["-at", "-id"], name="merge_by_time"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(survivor_id=F("loser_id")), name="merge_of_two"),
            models.UniqueConstraint(fields=["loser_id"], condition=Q(undone_at=None), name="merged_once"),
        ]

    def __str__(self) -> str:
        return f"{self.loser_name} into {self.survivor_name}"


class MergedRow(models.Model):
    """What a merge did to one row: `before` and `after` have the columns it changed.

    A row that was set aside has no `after` and all of itself in `before`; one that was made has no `before`.
    Steps are undone from the last to the first.
    """

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="rows", db_index=False)
    step = models.PositiveSmallIntegerField()
    model = models.CharField(max_length=60)
    row = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "step", "row"], name="merged_row_once_per_step")]


class FormerId(models.Model):
    """An id of a customer who was taken into another: pages, files and searches that name it lead to `customer`."""

    id = models.BigIntegerField(primary_key=True)
    external_id = models.CharField(max_length=200, unique=True, db_collation="C")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="former_ids")

    def __str__(self) -> str:
        return self.external_id
