"""What time alone does to subscriptions: they start, renew by themselves, or end, and it is told."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from django.db import transaction

from customers.events.recording import Happening, record
from customers.models import Subscription, SubscriptionTerm
from customers.subscriptions import periods
from customers.subscriptions.agreeing import Conditions, ended, happening, next_turn, standing
from retention.common import clock
from retention.workspace.models import Workspace


@transaction.atomic
def turn(limit: int = 1_000) -> int:
    """Let up to `limit` subscriptions whose time has come do what is due. Gives how many they were."""
    now, zone = clock.now(), Workspace.current().zone
    due = Subscription.objects.select_for_update(skip_locked=True).filter(turns_at__lte=now).order_by("turns_at")
    rows = list(due.prefetch_related("terms")[:limit])
    record([told for row in rows for told in _passed(row, now, zone)])
    for row in rows:
        row.updated_at = now
    Subscription.objects.bulk_update(rows, ["renews_at", "turns_at", "updated_at"])
    return len(rows)


def turn_all() -> int:
    """Until none is due."""
    turned = 0
    while count := turn():
        turned += count
    return turned


def _passed(row: Subscription, now: datetime, zone: tzinfo) -> Iterator[Happening]:
    """Bring a subscription up to `now`; gives what has happened to it on the way."""
    terms = sorted(row.terms.all(), key=lambda term: term.valid_from)
    while row.turns_at and row.turns_at <= now:
        at = row.turns_at
        if at == terms[-1].valid_to:
            yield ended(row, terms[-1], "time")
        elif at == row.renews_at:
            yield _renewed(row, standing(terms, at), zone)
        else:
            yield happening(row, "subscription.started", at, Conditions.of(terms[0]), source="time")
        row.turns_at = next_turn(row, terms, at)


def _renewed(row: Subscription, term: SubscriptionTerm, zone: tzinfo) -> Happening:
    at = row.renews_at
    assert at is not None  # noqa: S101
    day = _day_meant(at, row, zone)
    row.renews_at = periods.later(at, term.interval, term.interval_count, zone, day)
    return happening(row, "subscription.renewed", at, Conditions.of(term), source="time")


def _day_meant(at: datetime, row: Subscription, zone: tzinfo) -> int:
    """The day of the month on which it began, where a short month may have cut that."""
    begun = min(term.valid_from for term in row.terms.all()).astimezone(zone).day
    return begun if begun > at.astimezone(zone).day >= 28 else 0
