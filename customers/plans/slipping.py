"""Milestones whose day has passed without them being done: told once for each day they were due."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from customers.events.recording import Happening, record
from customers.models import Milestone, SuccessPlan
from customers.plans.keeping import day_of
from retention.common import clock
from retention.workspace.models import Workspace


@transaction.atomic
def notice(limit: int = 1_000) -> int:
    """Record up to `limit` of those not told yet. Gives how many they were."""
    now, today = clock.now(), clock.now().astimezone(Workspace.current().zone).date()
    fresh = Q(slipped_from=None) | Q(slipped_from__lt=F("due_on"))
    late = Milestone.objects.filter(
        fresh, state=Milestone.State.OPEN, due_on__lt=today, plan__state__in=SuccessPlan.OPEN
    )
    rows = list(
        late.select_for_update(of=("self",), skip_locked=True).select_related("plan").order_by("due_on", "pk")[:limit]
    )
    record(_told(row, now) for row in rows)
    Milestone.objects.filter(pk__in=[row.pk for row in rows]).update(slipped_from=F("due_on"))
    return len(rows)


def notice_all() -> int:
    """Until none is left."""
    noticed = 0
    while count := notice():
        noticed += count
    return noticed


def _told(step: Milestone, now: datetime) -> Happening:
    payload = {"plan": step.plan_id, "milestone": step.pk, "title": step.title, "due": day_of(step.due_on)}
    dedup = f"slipped:{step.pk}:{step.due_on.isoformat()}"
    return Happening(step.plan.customer_id, "milestone.slipped", now, "time", f"plan:{step.plan_id}", payload, dedup)
