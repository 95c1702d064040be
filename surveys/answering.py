"""Answering: one answer per invitation, however often and however fast the page is posted.

A low score is somebody's work: it opens a task for whoever looks after the customer.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from customers.events.recording import Happening, record
from customers.models import Customer
from customers.work import working_days
from customers.work.tasks import open_task
from retention.workspace.models import User, Workspace
from surveys.models import Answer, Invitation, Survey
from surveys.scoring import HIGHEST_DETRACTOR

DETRACTOR_TASK_DUE = 2  # working days


class NotAnswerable(Exception):
    """The invitation takes no answer."""


class AlreadyAnswered(NotAnswerable):
    """It has its one answer."""


class InvitationExpired(NotAnswerable):
    """Its time is over."""


class SurveyClosed(NotAnswerable):
    """The survey was closed."""


@dataclass(frozen=True)
class Said:
    """What somebody said: a score of 0–10, and why."""

    score: int
    comment: str = ""


def check_open(invitation: Invitation, at: datetime) -> None:
    """Raises the NotAnswerable that says why the invitation takes no answer at that instant, if it takes none."""
    if hasattr(invitation, "answer"):
        raise AlreadyAnswered
    if at >= invitation.expires_at:
        raise InvitationExpired
    if invitation.survey.closed_at:
        raise SurveyClosed


@transaction.atomic
def answer(invitation: Invitation, said: Said, at: datetime) -> Answer:
    """Keep what the customer said. Raises NotAnswerable; of posts at the same time the database takes one."""
    check_open(invitation, at)
    try:
        with transaction.atomic():
            given = Answer.objects.create(
                survey=invitation.survey,
                customer=invitation.customer,
                invitation=invitation,
                score=said.score,
                comment=said.comment,
                answered_at=at,
            )
    except IntegrityError as error:
        raise AlreadyAnswered from error
    _follow_up(given, source="survey")
    return given


@transaction.atomic
def type_in(survey: Survey, customer: Customer, said: Said, by: User, at: datetime) -> Answer:
    """Keep what a customer told us by word of mouth; marked, and never part of the score."""
    given = Answer.objects.create(
        survey=survey,
        customer=customer,
        score=said.score,
        comment=said.comment,
        answered_at=at,
        typed_in=True,
        entered_by=by,
    )
    _follow_up(given, source="staff")
    return given


def _follow_up(given: Answer, source: str) -> None:
    happening = Happening(
        customer_id=given.customer_id,
        kind="survey.answered",
        occurred_at=given.answered_at,
        source=source,
        ref=f"survey:{given.survey_id}",
        payload={"score": given.score, "survey": given.survey_id, "answer": given.pk},
        dedup_key=f"answer:{given.pk}",
    )
    record([happening])
    if given.score <= HIGHEST_DETRACTOR:
        _ask_for_a_call(given)


def _ask_for_a_call(given: Answer) -> None:
    open_task(
        customer_id=given.customer_id,
        title=f"Call about their score of {given.score}",
        reason=given.comment or "They left no comment.",
        due_at=working_days.after(given.answered_at, DETRACTOR_TASK_DUE, Workspace.current().zone),
        assignee_id=given.customer.owner_id,
        origin=f"answer:{given.pk}",
    )
