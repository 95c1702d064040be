"""Adding and changing a customer. Two people at one customer: the second is told, and what they typed is kept."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.custom.definitions import defined
from customers.custom.values import merged, text
from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.models import Customer, CustomField
from customers.records import consent
from retention.common import clock
from retention.workspace.models import User

FIELDS: tuple[str, ...] = (
    *("external_id", "kind", "name", "email", "phone", "country", "language", "time_zone", "owner", "team"),
    *("is_key_account", "persona", "source", "tags"),
)


@dataclass(frozen=True)
class Difference:
    """What somebody else saved in a field meanwhile, and what was typed here."""

    field: str
    theirs: Any
    ours: Any


class ChangedMeanwhile(Exception):
    """Somebody else saved the customer after it was opened here. `stands` is the customer as it is now."""

    def __init__(self, stands: Customer) -> None:
        self.stands = stands


@transaction.atomic
def add(values: Mapping[str, Any], custom: Mapping[str, Any] | None = None) -> Customer:
    """Store a new customer and record that they became known. Without an id one is made.

    `custom`: values of custom fields by key, as JSON; None for nothing.
    """
    now = clock.now()
    given = {**values, "external_id": values["external_id"] or f"own-{uuid.uuid4().hex[:12]}"}
    given |= {"attributes": merged({}, custom or {}), "source": values.get("source") or "web"}
    customer = Customer.objects.create(**given, joined_at=now, created_at=now, updated_at=now)
    record(
        [
            Happening(
                customer.pk, "customer.created", now, source="web", ref=f"customer:{customer.pk}", dedup_key="created"
            )
        ]
    )
    return customer


@transaction.atomic
def change(
    customer_id: int,
    values: Mapping[str, Any],
    opened: datetime,
    custom: Mapping[str, Any] | None = None,
    *,
    by: User,
) -> None:
    """Store changed fields, if nobody has since `opened`, the customer's `updated_at` when the form was opened.

    The timeline tells which fields those are. `custom` as in `add`; fields that it does not name stay as they are.
    Raises ChangedMeanwhile, and Customer.DoesNotExist.
    """
    stands = Customer.objects.select_for_update().get(pk=customer_id)
    if stands.updated_at != opened:
        raise ChangedMeanwhile(stands)
    attributes = merged(stands.attributes, custom or {})
    _let_consents_lapse(stands, values)
    now = clock.now()
    Customer.objects.filter(pk=customer_id).update(**values, attributes=attributes, updated_at=now)
    dirty.mark([customer_id])
    if changed := _changed(stands, values, custom or {}):
        told = {"by": str(by), "said": ", ".join(changed)}
        record([Happening(customer_id, "customer.edited", now, "web", "change", told)])


def _let_consents_lapse(stands: Customer, values: Mapping[str, Any]) -> None:
    """Who agreed at an address or a number did not agree for another one."""
    for channel, place in consent.PLACES.items():
        was = getattr(stands, place)
        if consent.has_moved(channel, was, values.get(place, was)):
            consent.lapse(stands.pk, channel)


def _changed(stands: Customer, values: Mapping[str, Any], custom: Mapping[str, Any]) -> list[str]:
    """What these fields are called of which another value is given than stands."""
    own = [_called(name) for name in values if getattr(stands, name) != values[name]]
    labels = {field.key: field.label for field in defined()} if custom else {}
    return own + [labels.get(key, key) for key, value in custom.items() if stands.attributes.get(key) != value]


def _called(name: str) -> str:
    return str(Customer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def differences(
    stands: Customer,
    ours: Mapping[str, Any],
    fields: Sequence[CustomField] = (),
    custom: Mapping[str, Any] | None = None,
) -> Iterator[Difference]:
    """Of these fields, the customer's own and custom ones, those in which what stands is not what was typed."""
    for name, typed in ours.items():
        if (theirs := getattr(stands, name)) != typed:
            yield Difference(_called(name), theirs, typed)
    for field in fields:
        standing, typed = stands.attributes.get(field.key), (custom or {}).get(field.key)
        if standing != typed:
            yield Difference(field.label, text(field, standing, ""), text(field, typed, ""))
