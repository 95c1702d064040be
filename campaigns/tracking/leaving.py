"""Unsubscribing: consent withdrawn and the address suppressed, together."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Message, Suppression
from campaigns.suppressing import suppress
from customers.models import Channel, Consent
from customers.records.consent import grant, withdraw


@transaction.atomic
def unsubscribe(message: Message, how: str, at: datetime) -> None:
    """No message begins once this is committed. `how` is kept as where it was asked for; asking again is fine."""
    address = message.address or message.customer.email
    if address:
        suppress(address, Suppression.Reason.UNSUBSCRIBED, at)
    withdraw(message.customer_id, Channel.EMAIL, source=how, proof=_proof(message), at=at)


@transaction.atomic
def come_back(message: Message, at: datetime) -> bool:
    """Take back an unsubscription that this very message brought, and nothing else. Gives whether there was one.

    An address that was on the suppression list before stays there.
    """
    left = _left_by(message).first()
    if left is None:
        return False
    address = message.address or message.customer.email
    with_it = Suppression.objects.filter(reason=Suppression.Reason.UNSUBSCRIBED, created_at=left.changed_at)
    with_it.filter(channel=Channel.EMAIL, address__iexact=address).delete()
    grant(message.customer_id, Channel.EMAIL, source="unsubscribe page, taken back", proof=_proof(message), at=at)
    return True


def left_by(message: Message) -> bool:
    """Whether it was by this message that the customer unsubscribed last."""
    return _left_by(message).exists()


def _left_by(message: Message) -> QuerySet[Consent]:
    of_theirs = Consent.objects.filter(customer=message.customer_id, channel=Channel.EMAIL)
    return of_theirs.filter(state=Consent.State.WITHDRAWN, proof=_proof(message))


def _proof(message: Message) -> str:
    return f"message:{message.pk}"


def has_left(message: Message) -> bool:
    """Whether the customer gets no e-mail any more."""
    agreed = Consent.objects.filter(
        customer=message.customer_id, channel=Channel.EMAIL, state=Consent.State.GRANTED
    ).exists()
    return not agreed
