"""The people at a customer as pages show them: a fixed number of queries, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass

from customers.custom import values
from customers.custom.definitions import defined
from customers.models import Contact, ContactConsent, CustomField

MOST = 200


@dataclass(frozen=True)
class Person:
    """A contact with what they agreed to, by channel, and what is known of custom fields."""

    contact: Contact
    consents: Sequence[ContactConsent]
    custom: Sequence[values.Told]


def people(customer_id: int, currency: str) -> list[Person]:
    """The main contact first, then by name."""
    fields = defined(CustomField.About.CONTACT)
    there = Contact.objects.filter(customer=customer_id, removed_at=None).prefetch_related("consents")
    return [
        Person(
            contact,
            sorted(contact.consents.all(), key=lambda consent: consent.channel),
            values.told(fields, contact.attributes, currency),
        )
        for contact in there.order_by("-is_main", "name", "pk")[:MOST]
    ]
