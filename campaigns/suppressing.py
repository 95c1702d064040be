"""The suppression list: addresses that get nothing, whoever they belong to.

Whoever puts an address on it first locks the customers who have it, as an opt-out does: no message to it begins once
that is committed.
"""

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Lower

from campaigns.models import Suppression
from customers.events.recording import Happening, record
from customers.models import Channel, Customer
from retention.workspace.models import User


class AlreadySuppressed(Exception):
    """The address is on the list already."""


@transaction.atomic
def suppress(address: str, reason: Suppression.Reason, at: datetime, note: str = "") -> bool:
    """Put an e-mail address on the list. Gives False where it was on it."""
    holders = _locked(address)
    if Suppression.objects.alias(folded=Lower("address")).filter(folded=address.lower()).exists():
        return False
    entry = Suppression(channel=Channel.EMAIL, address=address, reason=reason, note=note[:200], created_at=at)
    Suppression.objects.bulk_create([entry], ignore_conflicts=True)
    _tell("address.suppressed", holders, {"why": entry.get_reason_display().lower(), "note": note[:200]}, at)
    return True


@transaction.atomic
def release(entry: Suppression, by: User, at: datetime) -> None:
    """A person takes an address off the list; whoever has it is told so on their timeline. Twice is once."""
    holders = _locked(entry.address)
    removed, _ = Suppression.objects.filter(pk=entry.pk).delete()
    if removed:
        _tell("address.released", holders, {"by": str(by)}, at)


def _locked(address: str) -> list[int]:
    """The customers who have an address, held until the transaction ends."""
    holders = Customer.objects.alias(folded=Lower("email")).filter(folded=address.lower()).order_by("id")
    return list(holders.select_for_update().values_list("id", flat=True))


def _tell(kind: str, customer_ids: list[int], said: dict[str, str], at: datetime) -> None:
    record(Happening(customer_id, kind, at, ref="suppression", payload=said) for customer_id in customer_ids)


def suppress_by_hand(address: str, note: str, by: User, at: datetime) -> None:
    """A person puts an address on the list. Raises AlreadySuppressed."""
    told = " · ".join(part for part in (note, f"by {by}") if part)
    if not suppress(address, Suppression.Reason.MANUAL, at, told):
        raise AlreadySuppressed(address)
