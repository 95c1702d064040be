"""Who is active at an instant, by the workspace's basis.

Whatever happens at the very instant a window begins belongs to that window, so who is active then is told by what was
before it. Contractual: a subscription was in force just before the instant. Orders and usage: one in the days before,
`[instant − days, instant)`, counted in the workspace's days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.contrib.postgres.fields import DateTimeRangeField
from django.db.models import DateTimeField, F, Func, Q, QuerySet, Value
from django.db.models.expressions import Combinable

from customers.events.kinds import USAGE
from customers.models import Event, Order, SubscriptionTerm
from metrics.scope import Scope
from retention.workspace.models import Basis

# A cancelled or refunded order counts for nothing.
KEPT = Q(state=Order.State.COMPLETED)


@dataclass(frozen=True)
class Activity:
    """Records that make customers active, each over a span of time.

    `at` is the condition that a record makes its customer active at an instant, `during` that it does so at some
    instant from the first to the second, both included.
    """

    records: QuerySet[Any]
    begins: str
    at: Callable[[datetime], Q]
    during: Callable[[datetime, datetime], Q]
    span: Combinable

    def before(self, instant: datetime) -> Q:
        """That the record's span began before the instant."""
        return Q(**{f"{self.begins}__lt": instant})


def activity(scope: Scope) -> Activity:
    """The records of the scope's customers by the scope's basis."""
    if scope.basis is Basis.CONTRACTUAL:
        return _contractual(_limited(SubscriptionTerm.objects.all(), scope))
    if scope.basis is Basis.USAGE:
        return _recent(_limited(Event.objects.filter(kind__in=USAGE), scope), "occurred_at", scope)
    orders = Order.objects.filter(KEPT, customer__isnull=False)
    return _recent(_limited(orders, scope), "ordered_at", scope)


def _limited(records: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
    members = scope.members()
    return records if members is None else records.filter(customer_id__in=members)


def _contractual(records: QuerySet[Any]) -> Activity:
    def at(instant: datetime) -> Q:
        return Q(valid_from__lt=instant) & _not_ended_before(instant)

    def during(first: datetime, last: datetime) -> Q:
        return Q(valid_from__lt=last) & _not_ended_before(first)

    return Activity(records, "valid_from", at, during, _range("valid_from", F("valid_to"), "(]"))


def _not_ended_before(instant: datetime) -> Q:
    return Q(valid_to__isnull=True) | Q(valid_to__gte=instant)


def _recent(records: QuerySet[Any], field: str, scope: Scope) -> Activity:
    days = scope.activity_days

    def between(first: datetime, until: datetime) -> Q:
        return Q(**{f"{field}__gte": _days_before(first, days, scope.zone), f"{field}__lt": until})

    def at(instant: datetime) -> Q:
        return between(instant, instant)

    later = Func(
        F(field),
        Value(timedelta(days=days)),
        Value(str(scope.zone)),
        function="date_add",
        output_field=DateTimeField(),
    )
    return Activity(records, field, at, between, _range(field, later, "(]"))


def _days_before(instant: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time of day so many days earlier, as the zone's clocks show it."""
    return instant.astimezone(zone) - timedelta(days=days)


def _range(begins: str, ends: Combinable, bounds: str) -> Func:
    return Func(F(begins), ends, Value(bounds), function="tstzrange", output_field=DateTimeRangeField())
