"""Everybody's health anew, as a job: after another profile, other weights, other bands."""

from typing import Any

from django.db import transaction
from django.db.models import Count

from customers.facts.folding import take_turn
from customers.health import scoring
from customers.models import CustomerFacts
from customers.segments import membership
from retention.common import clock
from retention.workspace.jobs import Progress, enqueue, job, waiting
from retention.workspace.models import Job, User

JOB = "health.rescore"
AT_A_TIME = 2_000


@transaction.atomic
def rescore_everybody(by: User) -> Job:
    """The job that does it: one that has not begun yet will do for this as well."""
    return waiting(JOB, {}) or enqueue(JOB, "Working out everybody’s health", {}, by)


@job(JOB)
def run(progress: Progress) -> dict[str, Any]:
    """So many customers at a time, each part in its own transaction. The summary has how many are in which band."""
    total, done, last = CustomerFacts.objects.count(), 0, 0
    while customer_ids := _next(last):
        with transaction.atomic():
            take_turn()
            scoring.score(customer_ids, clock.now())
            membership.refresh(customer_ids=customer_ids)
        done, last = done + len(customer_ids), customer_ids[-1]
        progress.step(done, total, "Scoring")
    return bands()


def bands() -> dict[str, int]:
    """How many customers are in each band; "" for whom too little is known."""
    counted = CustomerFacts.objects.order_by().values_list("health_band").annotate(Count("pk"))
    return dict(counted)


def _next(last: int) -> list[int]:
    """The next customers in the order of ids, after `last`."""
    rows = CustomerFacts.objects.filter(customer_id__gt=last).order_by("customer_id")
    return list(rows.values_list("customer_id", flat=True)[:AT_A_TIME])
