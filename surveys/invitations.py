"""Invitations: a customer is asked once per survey and origin, by a signed link of their own."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from customers.events.recording import Happening, record
from retention.common.links import LinkRefused, public_url, sign, unsign
from surveys.models import Invitation, Survey

PURPOSE = "survey"


@transaction.atomic
def invite(survey: Survey, customer_ids: Sequence[int], origins: Sequence[str], at: datetime) -> dict[str, Invitation]:
    """Ask customers; `origins[i]` (message:12) says what asks `customer_ids[i]`, and is no other customer's.

    Gives each origin's invitation. Asking again from the same origin gives the invitation of the first time.
    """
    expires_at = at + timedelta(days=survey.open_days)
    wanted = [
        Invitation(survey=survey, customer_id=customer_id, origin=origin, created_at=at, expires_at=expires_at)
        for customer_id, origin in zip(customer_ids, origins, strict=True)
    ]
    Invitation.objects.bulk_create(wanted, batch_size=2_000, ignore_conflicts=True)
    found = Invitation.objects.filter(survey=survey, customer__in=customer_ids, origin__in=origins)
    invitations = {invitation.origin: invitation for invitation in found}
    record(_asked(invitations.values()))
    return invitations


def _asked(invitations: Iterable[Invitation]) -> list[Happening]:
    return [
        Happening(
            customer_id=invitation.customer_id,
            kind="survey.invited",
            occurred_at=invitation.created_at,
            source="survey",
            ref=f"survey:{invitation.survey_id}",
            payload={"survey": invitation.survey_id, "invitation": invitation.pk},
            dedup_key=f"invitation:{invitation.pk}",
        )
        for invitation in invitations
    ]


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
