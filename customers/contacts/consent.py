"""Whether a contact agreed to be approached on a channel.

The customer's row is locked first, as for their own consent.
"""

from datetime import datetime

from django.db import transaction

from customers.events.recording import Happening, record
from customers.models import Consent, Contact, ContactConsent, Customer
from customers.records.consent import says_nothing_new

State = Consent.State
KINDS = {State.GRANTED: "contact.agreed", State.WITHDRAWN: "contact.withdrew"}


def grant(contact: Contact, channel: str, source: str, proof: str, at: datetime) -> None:
    """Keep that the contact agreed at `at`."""
    _change(contact, ContactConsent(channel=channel, state=State.GRANTED, source=source, proof=proof, changed_at=at))


def withdraw(contact: Contact, channel: str, source: str, proof: str, at: datetime) -> None:
    """Keep that the contact opted out at `at`."""
    _change(contact, ContactConsent(channel=channel, state=State.WITHDRAWN, source=source, proof=proof, changed_at=at))


@transaction.atomic
def _change(contact: Contact, said: ContactConsent) -> None:
    """Write what was said and record it. What says nothing new, or is older than what stands, changes nothing."""
    Customer.objects.select_for_update().only("pk").get(pk=contact.customer_id)
    stands = ContactConsent.objects.filter(contact=contact, channel=said.channel).first()
    if stands and (stands.changed_at > said.changed_at or says_nothing_new(stands, said)):
        return
    said.pk, said.contact = stands.pk if stands else None, contact
    said.save()
    payload = {
        "contact": contact.pk,
        "name": str(contact),
        "channel": said.channel,
        "by": said.get_channel_display().lower(),
        "told": said.source,
        "proof": said.proof,
    }
    kind = KINDS[State(said.state)]
    record([Happening(contact.customer_id, kind, said.changed_at, said.source[:60], f"contact:{contact.pk}", payload)])
