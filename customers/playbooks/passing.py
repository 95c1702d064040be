"""What time alone does: renewals come near, quarters begin, and the days of steps come."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from customers.models import Playbook
from customers.playbooks import following, opening, starting
from retention.common import clock
from retention.workspace.models import Workspace

#: Renewals and quarters are looked through so often; the days of steps at every sweep.
EVERY = timedelta(hours=1)
#: A quarterly playbook that somebody began only lately waits for the next quarter.
APART = timedelta(days=45)

# As Today has it: what renews every week or month renews by itself.
_RENEWALS = """
SELECT contract.customer_id, 'renewal:' || (contract.renews_at AT TIME ZONE 'UTC')::date AS origin,
       contract.renews_at AS counts_from
  FROM customers_subscription contract
 WHERE contract.renews_at > %(now)s AND contract.renews_at <= %(until)s
   AND EXISTS (SELECT FROM customers_subscriptionterm term
                WHERE term.subscription_id = contract.id AND term.valid_from <= %(now)s
                  AND coalesce(term.valid_to > %(now)s, true)
                  AND (term.interval IN ('quarter', 'year') OR term.interval_count > 2))
   AND (%(segment)s::bigint IS NULL OR EXISTS (
        SELECT FROM customers_segmentmembership member
         WHERE member.segment_id = %(segment)s AND member.customer_id = contract.customer_id
           AND member.left_at IS NULL))
"""
_MEMBERS = """
SELECT customer_id, %(origin)s AS origin, %(now)s::timestamptz AS counts_from
  FROM customers_segmentmembership AS member
 WHERE segment_id = %(segment)s AND left_at IS NULL
   AND NOT EXISTS (SELECT FROM customers_playbookrun AS lately
                    WHERE lately.playbook_id = %(playbook)s AND lately.customer_id = member.customer_id
                      AND lately.started_at > %(lately)s)
"""


def keep_up() -> int:
    """Start what renewals and quarters call for, and open the tasks whose day has come. Gives how many of both."""
    return look() + opening.open_all()


def look() -> int:
    """Look through renewals and quarters for each playbook that is due for it. Gives how many runs began or ended."""
    changed, due = 0, _due()
    for playbook_id in list(due.values_list("pk", flat=True)):
        with transaction.atomic():
            # Whoever else looks for it at this moment does for both.
            if playbook := _due().select_for_update(skip_locked=True, no_key=True).filter(pk=playbook_id).first():
                changed += _look(playbook)
                Playbook.objects.filter(pk=playbook_id).update(looked_at=clock.now())
    return changed


def _due() -> "QuerySet[Playbook]":
    now = clock.now()
    long_ago = Q(looked_at=None) | Q(looked_at__lte=now - EVERY) | Q(looked_at__gt=now)
    rules = (Playbook.Rule.RENEWAL, Playbook.Rule.QUARTER)
    return Playbook.objects.filter(long_ago, rule__in=rules, on_since__isnull=False).order_by("pk")


def _look(playbook: Playbook) -> int:
    """First those end whose condition is gone, since another renewal of the same customer may be next."""
    ended = following.stop_left("run.playbook_id = ANY(%(those)s)", [playbook.pk])
    with suppress(starting.NothingToDo):
        if playbook.by_renewal:
            until = clock.now() + timedelta(days=playbook.days_before or 0)
            return ended + starting.start(playbook, _RENEWALS, {"until": until, "segment": playbook.segment_id})
        given = {"segment": playbook.segment_id, "origin": _quarter(clock.now()), "lately": clock.now() - APART}
        return ended + starting.start(playbook, _MEMBERS, given)
    return ended


def _quarter(now: datetime) -> str:
    day = now.astimezone(Workspace.current().zone).date()
    return f"quarter:{day.year}-{(day.month + 2) // 3}"
