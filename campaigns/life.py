"""A campaign's life: launched, paused, resumed, finished. Each step happens once, whoever else is at it."""

from typing import Any

from django.db import transaction

from campaigns.enrolment import take_in
from campaigns.models import Arm, Campaign, Enrolment, Message
from customers.segments.membership import refresh
from retention.common import clock
from retention.workspace.jobs import JobFailed, Progress, enqueue, job
from retention.workspace.models import Job, User

State = Campaign.State


class NotPossible(Exception):
    """The campaign is not in a state that allows it; the text says so to the person who asked."""


@transaction.atomic
def launch(campaign: Campaign, by: User) -> Job:
    """Start a draft: its content is fixed, and a job takes in who is there. Raises NotPossible."""
    changes = {"state": State.RUNNING, "launched_at": clock.now(), "launched_by": by}
    _move(campaign, [State.DRAFT], changes, "It was launched already.")
    return enqueue("campaign", f"Launching {campaign.name}", {"campaign": campaign.pk}, by)


def pause(campaign: Campaign) -> None:
    """Nobody is taken in and nothing new is sent until it is resumed. Raises NotPossible."""
    _move(campaign, [State.RUNNING], {"state": State.PAUSED}, "Only a running campaign can be paused.")


@transaction.atomic
def resume(campaign: Campaign, by: User) -> Job:
    """Go on, and take in who came meanwhile and is still there. Raises NotPossible."""
    _move(campaign, [State.PAUSED], {"state": State.RUNNING}, "Only a paused campaign can be resumed.")
    return enqueue("campaign", f"Resuming {campaign.name}", {"campaign": campaign.pk}, by)


@transaction.atomic
def finish(campaign: Campaign) -> None:
    """End it: whatever still waits is cancelled; goals are counted on until their time is over. Raises NotPossible."""
    now = clock.now()
    changes = {"state": State.FINISHED, "finished_at": now}
    _move(campaign, [State.RUNNING, State.PAUSED], changes, "It is finished already, or was never launched.")
    waiting = Message.objects.filter(step__campaign=campaign, state__in=[Message.State.PENDING, Message.State.CLAIMED])
    waiting.update(
        state=Message.State.CANCELLED,
        reason="The campaign was finished.",
        token=None,
        lease_until=None,
        settled_at=now,
    )
    Enrolment.objects.filter(campaign=campaign, left_at=None).update(left_at=now, left_because="campaign finished")


def _move(campaign: Campaign, before: list[Campaign.State], changes: dict[str, Any], otherwise: str) -> None:
    if not Campaign.objects.filter(pk=campaign.pk, state__in=before).update(**changes):
        raise NotPossible(otherwise)
    campaign.refresh_from_db()


@job("campaign")
def take_in_job(progress: Progress) -> dict[str, Any]:
    """Bring the segment up to now and take in who is there. Safe to begin again."""
    campaign = Campaign.objects.filter(pk=progress.job.spec["campaign"]).first()
    if campaign is None:
        raise JobFailed("The campaign is gone.")
    progress.step(0, None, "Looking who is in the segment")
    refresh([campaign.segment_id])
    take_in(campaign, progress)
    # Some may have come in by the router meanwhile: the summary is about the campaign, not about this job alone.
    return {
        "campaign": campaign.pk,
        "treated": campaign.enrolments.filter(arm=Arm.TREATED).count(),
        "held_out": campaign.enrolments.filter(arm=Arm.CONTROL).count(),
        "refused": campaign.refusals.count(),
    }
