"""Invitations: a customer is asked once per survey and origin, by a signed link of their own."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from customers.events.recording import Happening, record
from retention.common import clock
from retention.common.links import LinkRefused, public_url, sign, unsign
from surveys.models import Invitation, Survey

PURPOSE = "survey"


@transaction.atomic
def invite(survey: Survey, customer_ids: Sequence[int], origins: Sequence[str], at: datetime) -> dict[str, Invitation]:
    """Make what customers are asked with; `origins[i]` (message:12) says what asks `customer_ids[i]`, and no other.

    Gives each origin's invitation. Asking again from the same origin gives the invitation of the first time. That
    somebody was asked is recorded once the question leaves (`record_asked`); where it never will, `take_back`.
    """
    expires_at = at + timedelta(days=survey.open_days)
    wanted = [
        Invitation(survey=survey, customer_id=customer_id, origin=origin, created_at=at, expires_at=expires_at)
        for customer_id, origin in zip(customer_ids, origins, strict=True)
    ]
    Invitation.objects.bulk_create(wanted, batch_size=2_000, ignore_conflicts=True)
    found = Invitation.objects.filter(survey=survey, customer__in=customer_ids, origin__in=origins)
    return {invitation.origin: invitation for invitation in found}


def record_asked(invitations: Iterable[Invitation]) -> None:
    """The question leaves: put it on the timelines, once each."""
    now = clock.now()
    if asked := [_asked(invitation, now) for invitation in invitations]:
        record(asked)


def take_back(invitations: Iterable[Invitation]) -> None:
    """What would have asked never leaves, so nobody holds the link. An answer, were there one, keeps its invitation."""
    if ids := [invitation.pk for invitation in invitations]:
        Invitation.objects.filter(pk__in=ids, answer=None).delete()


def _asked(invitation: Invitation, at: datetime) -> Happening:
    return Happening(
        customer_id=invitation.customer_id,
        kind="survey.invited",
        occurred_at=at,
        source="survey",
        ref=f"survey:{invitation.survey_id}",
        payload={"survey": invitation.survey_id, "invitation": invitation.pk},
        dedup_key=f"invitation:{invitation.pk}",
    )


def token_of(invitation: Invitation) -> str:
    return sign(PURPOSE, invitation.pk)


def invitation_url(invitation: Invitation, score: int | None = None) -> str:
    """The customer's own address of the survey; with a score, that score is filled in but not yet sent."""
    url = public_url(reverse("surveys:answer", args=[token_of(invitation)]))
    return url if score is None else f"{url}?score={score}"


def find(token: str) -> Invitation:
    """The invitation a link belongs to, with its survey and customer. Raises LinkRefused."""
    (pk,) = unsign(PURPOSE, token)
    invitation = Invitation.objects.select_related("survey", "customer", "answer").filter(pk=pk).first()
    if invitation is None:
        raise LinkRefused(PURPOSE)
    return invitation
