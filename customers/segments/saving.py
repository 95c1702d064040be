"""Saving a segment, and the full look at everybody that follows: at once, or as a job where it takes long."""

from typing import Any

from django.db import transaction

from customers.health import circles
from customers.models import CustomerFacts, Segment
from customers.segments import consequences, membership, references
from customers.segments.consequences import Consequence
from retention.common import clock
from retention.workspace.jobs import OPEN, Progress, enqueue, job, waiting
from retention.workspace.models import Job, User

JOB = "segment.refresh"
#: Up to so many customers a full pass takes well under a second.
SMALL = 50_000


@transaction.atomic
def save(segment: Segment, by: User) -> Job | None:
    """Store a new or changed segment and have its members worked out; the job that does, where it takes long.

    Raises RuleRefused.
    """
    references.read(segment.rule, segment.pk)
    circles.refuse(segment)
    segment.updated_at = clock.now()
    if segment._state.adding:
        segment.created_by = by
        segment.save()
        return recompute(segment, by)
    membership.hold(segment.pk)
    changed = not Segment.objects.filter(pk=segment.pk, rule=segment.rule).exists()
    # Not its size and time: a refresh at the same time has its own to keep.
    segment.save(update_fields=["name", "description", "rule", "updated_at"])
    return recompute(segment, by) if changed else None


@transaction.atomic
def foresee(segment: Segment) -> list[Consequence]:
    """What would follow from saving a changed segment now; nothing stays of the try. Raises RuleRefused.

    The segment is held until the request is over, so that nothing else follows from saving then.
    """
    references.read(segment.rule, segment.pk)
    membership.hold(segment.pk)
    with transaction.atomic():
        changed = Segment.objects.filter(pk=segment.pk).exclude(rule=segment.rule).update(rule=segment.rule)
        found = consequences.of(_affected(segment.pk)) if changed else []
        transaction.set_rollback(True)
    return found


def recompute(segment: Segment, by: User) -> Job | None:
    """Look at everybody, for the segment and for those that refer to it."""
    if _is_small():
        membership.refresh(_affected(segment.pk))
        return None
    spec = {"segment": segment.pk}
    with transaction.atomic():
        return waiting(JOB, spec) or enqueue(JOB, f"Working out “{segment.name}”", spec, by)


def open_job(segment: Segment) -> Job | None:
    """The latest that is not over, for who looks at the segment."""
    return Job.objects.filter(kind=JOB, state__in=OPEN, spec={"segment": segment.pk}).order_by("-created_at").first()


@job(JOB)
def run_refresh(progress: Progress) -> dict[str, Any]:
    """The full pass as a job. Its summary says how many are in it now."""
    segment_id = progress.job.spec["segment"]
    affected = _affected(segment_id)
    for done, each in enumerate(affected):
        progress.step(done, len(affected), "Looking at everybody")
        membership.refresh([each])
    segment = Segment.objects.filter(pk=segment_id).first()
    return {"members": segment.size} if segment else {}


def _affected(segment_id: int) -> list[int]:
    return [segment_id, *sorted(references.referring_to(segment_id, references.stored_rules()))]


def _is_small() -> bool:
    """Counted no further than it matters."""
    return CustomerFacts.objects.all()[: SMALL + 1].count() <= SMALL
