"""Adding, changing and removing contacts. Two people at one contact: the second is told, and nothing typed is lost.

Every change holds the customer's row first, as whoever changes a consent does, so that none waits for the other in a
circle.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.contacts import consent
from customers.custom.values import merged, text
from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.models import Contact, Customer, CustomField
from customers.records.editing import Difference
from retention.common import clock

FIELDS = ("name", "role", "email", "phone", "language", "time_zone", "birthday", "is_main")


class ChangedMeanwhile(Exception):
    """Somebody else saved the contact after it was opened here. `stands` is the contact as it is now."""

    def __init__(self, stands: Contact) -> None:
        self.stands = stands


class AddressTaken(Exception):
    """Another contact of the customer has this e-mail address: `by`."""

    def __init__(self, by: Contact) -> None:
        self.by = by


@transaction.atomic
def add(customer_id: int, values: Mapping[str, Any], custom: Mapping[str, Any]) -> Contact:
    """Store a new contact, or bring back one who was removed and has the same e-mail address, with what they agreed to.

    Raises Customer.DoesNotExist and AddressTaken.
    """
    _hold(customer_id)
    before = _with_address(customer_id, values["email"])
    if before and not before.removed_at:
        raise AddressTaken(before)
    now = clock.now()
    contact = before or Contact(customer_id=customer_id, source="web", created_at=now)
    _write(contact, values, custom)
    _tell(contact, "contact.added")
    return contact


@transaction.atomic
def change(contact: Contact, values: Mapping[str, Any], custom: Mapping[str, Any], opened: datetime | None) -> None:
    """Store changed fields, if nobody has since `opened`, the contact's `updated_at` when the form was opened.

    Raises ChangedMeanwhile, AddressTaken, and Contact.DoesNotExist for one who was removed.
    """
    _hold(contact.customer_id)
    stands = Contact.objects.get(pk=contact.pk, removed_at=None)
    if stands.updated_at != opened:
        raise ChangedMeanwhile(stands)
    other = _with_address(stands.customer_id, values["email"])
    if other and other.pk != stands.pk:
        raise AddressTaken(other)
    _write(stands, values, custom)


@transaction.atomic
def remove(contact: Contact) -> None:
    """Take a contact away; a second time changes nothing."""
    _hold(contact.customer_id)
    now = clock.now()
    if Contact.objects.filter(pk=contact.pk, removed_at=None).update(removed_at=now, updated_at=now):
        _tell(contact, "contact.removed")


@transaction.atomic
def restore(contact: Contact) -> None:
    """Undo a removal. Who is the main contact meanwhile stays it."""
    _hold(contact.customer_id)
    gone = Contact.objects.filter(pk=contact.pk).exclude(removed_at=None)
    main = Contact.objects.filter(customer=contact.customer_id, is_main=True, removed_at=None).exists()
    still = {"is_main": False} if main else {}
    if gone.update(removed_at=None, updated_at=clock.now(), **still):
        _tell(contact, "contact.added")


def differences(
    stands: Contact, ours: Mapping[str, Any], fields: list[CustomField], custom: Mapping[str, Any]
) -> Iterator[Difference]:
    """Of these fields those in which what stands is not what was typed."""
    for name, typed in ours.items():
        if (theirs := getattr(stands, name)) != typed:
            label = str(Contact._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
            yield Difference(label, theirs, typed)
    for field in fields:
        standing, typed = stands.attributes.get(field.key), custom.get(field.key)
        if standing != typed:
            yield Difference(field.label, text(field, standing, ""), text(field, typed, ""))


def _hold(customer_id: int) -> None:
    Customer.objects.select_for_update().only("pk").get(pk=customer_id)


def _with_address(customer_id: int, email: str) -> Contact | None:
    return Contact.objects.filter(customer=customer_id, email__iexact=email).first() if email else None


def _write(contact: Contact, values: Mapping[str, Any], custom: Mapping[str, Any]) -> None:
    """The main contact takes the place of the one before. Who agreed at an address or number did so for no other."""
    now = clock.now()
    if contact.pk:
        consent.let_lapse(contact, values)
    if values["is_main"]:
        others = Contact.objects.filter(customer=contact.customer_id, is_main=True).exclude(pk=contact.pk)
        others.update(is_main=False, updated_at=now)
    for name in FIELDS:
        setattr(contact, name, values[name])
    contact.attributes = merged(contact.attributes, custom)
    contact.updated_at, contact.removed_at = now, None
    contact.save()
    dirty.mark([contact.customer_id])  # a change is no event, and yet segments ask about people


def _tell(contact: Contact, kind: str) -> None:
    now = clock.now()
    payload = {"contact": contact.pk, "name": str(contact)}
    dedup = f"contact:{contact.pk}:{now.isoformat()}"
    record([Happening(contact.customer_id, kind, now, "web", f"contact:{contact.pk}", payload, dedup)])
