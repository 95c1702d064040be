"""Which renewals come up: of contracts in force, of cancelled ones that still run, and of those that ended undecided.

A row is the term that stands, or stood last: what it is worth a month is at stake (METRICS, Recurring revenue). A
contract of a month or less that renews by itself is looked at on request only: nobody calls about that.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, TypeAlias

from django.db.models import (
    Case,
    DateField,
    F,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, TruncMonth

from customers.models import Interval, Stage, SubscriptionTerm
from customers.renewals import expecting
from customers.subscriptions.notice import NoticeUntil

MONTHS = 6
#: Terms with annotations.
Rows: TypeAlias = "QuerySet[Any, Any]"
#: For so long the board shows what ended without a decision.
OVERDUE = timedelta(days=60)
_LONG = Q(interval__in=(Interval.QUARTER, Interval.YEAR)) | Q(interval_count__gt=2)


def month_after(month: date, count: int) -> date:
    """The first of the month `count` months after `month`, which is a first."""
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)


@dataclass(frozen=True)
class Span:
    """The months that are looked at, from now on, in the workspace's zone."""

    now: datetime
    zone: tzinfo

    @property
    def months(self) -> list[date]:
        first = self.now.astimezone(self.zone).date().replace(day=1)
        return [month_after(first, count) for count in range(MONTHS)]

    @property
    def until(self) -> datetime:
        return datetime.combine(month_after(self.months[0], MONTHS), time(), self.zone)


def renewals(span: Span, *, short: bool = False) -> Rows:
    """Each with `due_at` (its renewal or end), `notice_at`, `month` (None once that is over), `stage`, the place of its
    `rule` in RULES, and what is `expected` of it.
    """
    terms = SubscriptionTerm.objects.filter(_stands(span.now), _comes_up(span))
    if not short:
        terms = terms.filter(_LONG | Q(subscription__auto_renews=False) | Q(subscription__cancelled_at__isnull=False))
    month = Cast(TruncMonth("due_at", tzinfo=span.zone, output_field=DateField()), DateField())
    return (
        # Time alone next ends what is cancelled and still runs.
        terms.annotate(due_at=Coalesce("subscription__renews_at", "subscription__turns_at"))
        .annotate(
            notice_at=NoticeUntil("due_at", "subscription__notice_days", span.zone),
            month=Case(When(due_at__lte=span.now, then=Value(None)), default=month, output_field=DateField()),
        )
        .annotate(stage=Coalesce("customer__facts__stage", Value(str(Stage.PROSPECT))))
        .annotate(rule=expecting.rule_of(span.now))
        .annotate(expected=expecting.expected())
    )


def _comes_up(span: Span) -> Q:
    renews = Q(subscription__renews_at__gt=span.now, subscription__renews_at__lt=span.until)
    ended = Q(subscription__renews_at__gt=span.now - OVERDUE, subscription__renews_at__lte=span.now)
    ends = Q(subscription__turns_at__gt=span.now, subscription__turns_at__lt=span.until)
    undecided = Q(subscription__cancelled_at__isnull=True, subscription__auto_renews=False)
    return renews | (ended & undecided) | (ends & Q(subscription__cancelled_at__isnull=False))


def _stands(now: datetime) -> Q:
    in_force = Q(valid_to__isnull=True) | Q(valid_to__gt=now) | Q(valid_to=F("subscription__renews_at"))
    return Q(valid_from__lte=now) & in_force
