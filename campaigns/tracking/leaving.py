"""Unsubscribing: consent withdrawn and the address suppressed, together."""

from datetime import datetime

from django.db import transaction

from campaigns.models import Message, Suppression
from campaigns.suppressing import suppress
from customers.models import Channel, Consent
from customers.records.consent import withdraw


@transaction.atomic
def unsubscribe(message: Message, how: str, at: datetime) -> None:
    """No message begins once this is committed. `how` is kept as where it was asked for; asking again is fine."""
    address = message.address or message.customer.email
    if address:
        suppress(address, Suppression.Reason.UNSUBSCRIBED, at)
    withdraw(message.customer_id, Channel.EMAIL, source=how, proof=f"message:{message.pk}", at=at)


def has_left(message: Message) -> bool:
    """Whether the customer gets no e-mail any more."""
    agreed = Consent.objects.filter(
        customer=message.customer_id, channel=Channel.EMAIL, state=Consent.State.GRANTED
    ).exists()
    return not agreed
