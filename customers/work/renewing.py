"""Renewals to agree in time: before the last day on which notice can be given, or before the contract ends."""

from datetime import UTC, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest, NullIf, TruncDate
from django.db.models.lookups import LessThanOrEqual
from django.utils.dateparse import parse_datetime

from customers.models import Subscription
from customers.models.subscriptions import LAST_DAY, long_terms
from customers.subscriptions.notice import NoticeUntil
from customers.work.moments import WHENEVER, Whenever
from customers.work.needs import First, Line, Lines, Nearing, Told, need
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import day_text

AHEAD = timedelta(days=60)
#: A change to or from summer time is at most that.
SHIFT = timedelta(hours=2)


class _UpTo(LessThanOrEqual):
    """At most, by the same index. After "more than", the planner takes a plain "at most" for so narrow a range that it
    reads and sorts it all, where the first of a day's many would do.
    """

    def get_rhs_op(self, connection: Any, rhs: str) -> str:  # noqa: ARG002
        return f"<= ANY(ARRAY[{rhs}])"


def _said(line: Line) -> str:
    renews_at = parse_datetime(line.about["renews_at"])
    assert renews_at is not None  # noqa: S101
    if line.at < renews_at:
        return f"Last day on which they can give notice: {day_text(line.at)}."
    if line.about["notice"]:
        return "Inside its notice period."
    return "" if line.about["by_itself"] else "It ends unless it is renewed."


def _place(line: Line) -> str:
    return page_of("customers:subscription", line.about["subscription"])


# The most urgent are those whose last day of notice is the next, and, of those where it is over, those that renew next.
# The index knows no zone: its days are looked at from so much before, which a zone may shift them by.
_FIRST = (
    First(
        F("index_day").asc(),
        Q(index_day__gt=WHENEVER.now - SHIFT, last_day__gt=WHENEVER.now),
        pressing=Q(_UpTo(F("index_day"), WHENEVER.tomorrow + SHIFT)),
    ),
    First(F("renews_at").asc(), pressing=Q(renews_at__lte=WHENEVER.tomorrow)),
)


@need("renewal", "Renewal", "Agree the renewal", said=_said, place=_place, yields=True, first=_FIRST)
def renewals(moment: Whenever) -> Lines:
    """Contracts in force whose last day of notice, or where that is over or there is none, whose renewal is near."""
    near = _standing(moment).alias(
        index_day=LAST_DAY,
        last_day=NoticeUntil("renews_at", "notice_days", moment.zone),
        # The last day where that is to come, without working it out twice.
        until=Coalesce(NullIf(Greatest("last_day", moment.now), moment.now), "renews_at"),
    )
    told = Told(
        customer="customer_id",
        ref="customer_id",
        key=TruncDate("renews_at", tzinfo=UTC),
        at="until",
        urgency=Nearing("until", moment),
        about={
            "subscription": F("pk"),
            "renews_at": F("renews_at"),
            "notice": F("notice_days"),
            "by_itself": F("auto_renews"),
        },
        money=(12 * F("terms__mrr"), "terms__currency"),
    )
    return told.of(near.filter(until__lt=moment.now + AHEAD))


def _standing(moment: Whenever) -> "QuerySet[Subscription]":
    lasts = Q(terms__valid_to__gt=moment.now) | Q(terms__valid_to=None)
    lasts &= Q(terms__valid_from__lte=moment.now)
    return Subscription.objects.filter(long_terms("terms__"), lasts, renews_at__gte=moment.now)
