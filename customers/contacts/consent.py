"""Whether a contact agreed to be approached on a channel.

The customer's row is locked first, as for their own consent.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.events.recording import Happening, record
from customers.models import Consent, Contact, ContactConsent, Customer
from customers.records.consent import has_moved, says_nothing_new
from retention.common import clock

State, Channel = Consent.State, ContactConsent.Channel
KINDS = {State.GRANTED: "contact.agreed", State.WITHDRAWN: "contact.withdrew"}
#: The field of a contact by which a channel reaches them: who agreed there did not agree for another place.
PLACES = {Channel.EMAIL: "email", Channel.PHONE: "phone", Channel.SMS: "phone"}
#: What is agreed to on a channel, and opted out of.
APPROACHES = {
    Channel.EMAIL: "e-mail",
    Channel.PHONE: "phone calls",
    Channel.SMS: "text messages",
    Channel.POST: "letters",
}


def grant(contact: Contact, channel: str, source: str, proof: str, at: datetime) -> None:
    """Keep that the contact agreed at `at`."""
    _change(contact, ContactConsent(channel=channel, state=State.GRANTED, source=source, proof=proof, changed_at=at))


def withdraw(contact: Contact, channel: str, source: str, proof: str, at: datetime) -> None:
    """Keep that the contact opted out at `at`."""
    _change(contact, ContactConsent(channel=channel, state=State.WITHDRAWN, source=source, proof=proof, changed_at=at))


def let_lapse(contact: Contact, values: Mapping[str, Any]) -> None:
    """Forget what the contact agreed to at places that are theirs no more, once these values stand. A no stays one.

    For whoever holds the customer's row.
    """
    moved = [channel for channel, place in PLACES.items() if has_moved(channel, getattr(contact, place), values[place])]
    agreed = ContactConsent.objects.filter(contact=contact, channel__in=moved, state=State.GRANTED)
    now = clock.now()
    record(_happening(contact, said, "contact.lapsed", now) for said in agreed)
    agreed.delete()


@transaction.atomic
def _change(contact: Contact, said: ContactConsent) -> None:
    """Write what was said and record it. What says nothing new, or is older than what stands, changes nothing."""
    Customer.objects.select_for_update().only("pk").get(pk=contact.customer_id)
    stands = ContactConsent.objects.filter(contact=contact, channel=said.channel).first()
    if stands and (stands.changed_at > said.changed_at or says_nothing_new(stands, said)):
        return
    said.pk, said.contact = stands.pk if stands else None, contact
    said.save()
    record([_happening(contact, said, KINDS[State(said.state)], said.changed_at)])


def _happening(contact: Contact, said: ContactConsent, kind: str, at: datetime) -> Happening:
    payload = {
        "contact": contact.pk,
        "name": str(contact),
        "channel": said.channel,
        "by": APPROACHES[Channel(said.channel)],
        "told": said.source,
        "proof": said.proof,
    }
    return Happening(contact.customer_id, kind, at, said.source[:60], f"contact:{contact.pk}", payload)
