"""Everything that happens to a customer: the append-only timeline."""

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from customers.models.records import Customer
from retention.common import clock


def _fresh_key() -> str:
    return uuid.uuid4().hex


class Event(models.Model):
    """One thing that happened. `kind` is one of `customers.events.kinds`; the same `dedup_key` is kept once.

    `routed_at` is empty until the router has let it have its effects (facts, segments, journeys).
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=40, db_collation="C")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=clock.now)
    source = models.CharField(max_length=60, blank=True, help_text="Who says so: import, web, api, campaign …")
    ref = models.CharField(max_length=120, blank=True, help_text="What it is about, as kind:id.")
    payload = models.JSONField(default=dict)
    dedup_key = models.CharField(max_length=120, default=_fresh_key, db_collation="C")
    routed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-occurred_at", "-id"], name="event_timeline"),
            models.Index(fields=["id"], condition=Q(routed_at__isnull=True), name="event_unrouted"),
            BrinIndex(fields=["occurred_at"], name="event_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind", "dedup_key"], name="event_recorded_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.occurred_at:%Y-%m-%d %H:%M}"
