"""Whether a customer agreed to marketing.

The order of locks is the promise that no message starts after an opt-out: a change locks the customer's row FOR UPDATE
before it writes, and a sender locks the same row FOR SHARE before it reads. Whoever comes second waits and then sees
what the first did.
"""

import re
from datetime import datetime
from typing import Protocol

from django.db import transaction

from customers.events.recording import Happening, record
from customers.models import Channel, Consent, Customer
from retention.common import clock
from retention.common.phone_digits import ALIKE, OTHERS

#: What the proof of a consent begins with that a file brought.
FROM_FILE = "import "
#: The field of a customer by which each channel reaches them: who agreed there did not agree for another place.
PLACES: dict[str, str] = {Channel.EMAIL: "email", Channel.SMS: "phone"}
KINDS = {Consent.State.GRANTED: "consent.granted", Consent.State.WITHDRAWN: "consent.withdrawn"}

_PLAIN = str.maketrans(OTHERS, ALIKE)


def grant(customer_id: int, channel: str, source: str, proof: str, at: datetime) -> None:
    """Keep that the customer agreed at `at`. Raises Customer.DoesNotExist."""
    _change(Consent(customer_id=customer_id, channel=channel, source=source, proof=proof, changed_at=at), granted=True)


def withdraw(customer_id: int, channel: str, source: str, proof: str, at: datetime) -> None:
    """Keep that the customer opted out at `at`; once that is committed no message begins.

    Raises Customer.DoesNotExist.
    """
    _change(Consent(customer_id=customer_id, channel=channel, source=source, proof=proof, changed_at=at), granted=False)


def has_moved(channel: str, was: str, becomes: str) -> bool:
    """Whether a channel that reached somebody at one place would reach them at another, or at none, now.

    What files bring is judged by the same rule in SQL (customers/ingest/merging.py).
    """
    return bool(_place(channel, was)) and not same_place(channel, was, becomes)


def same_place(channel: str, one: str, other: str) -> bool:
    """Whether a channel reaches somebody alike at both."""
    return _place(channel, one) == _place(channel, other)


def _place(channel: str, text: str) -> str:
    """What is the same of an address whatever its case, of a number however it is typed: `00` is `+`."""
    if channel != Channel.EMAIL:
        return re.sub(r"^00", "+", re.sub(r"[^0-9+]", "", text.translate(_PLAIN)))
    return "".join(text.split()).casefold()


@transaction.atomic
def lapse(customer_id: int, channel: str) -> None:
    """Forget that the customer agreed: the address they agreed at is theirs no more. A withdrawal stays one.

    Raises Customer.DoesNotExist.
    """
    Customer.objects.select_for_update().only("pk").get(pk=customer_id)
    gone = Consent.objects.filter(customer_id=customer_id, channel=channel, state=Consent.State.GRANTED)
    if gone.delete()[0]:
        payload = {"channel": channel}
        record([Happening(customer_id, "consent.lapsed", clock.now(), source="web", payload=payload)])


@transaction.atomic
def _change(said: Consent, *, granted: bool) -> None:
    """Write what was said and record it. What says nothing new, or is older than what stands, changes nothing.

    An opt-out that only a file told of is kept anew as the customer's own, which no undo of that file takes back.
    """
    said.state = Consent.State.GRANTED if granted else Consent.State.WITHDRAWN
    Customer.objects.select_for_update().only("pk").get(pk=said.customer_id)
    stands = Consent.objects.filter(customer_id=said.customer_id, channel=said.channel).first()
    if stands and (stands.changed_at > said.changed_at or says_nothing_new(stands, said)):
        return
    said.pk = stands.pk if stands else None
    said.save()
    record([_happening(said)])


class _Word(Protocol):
    state: str
    proof: str


def says_nothing_new(stands: _Word, said: _Word) -> bool:
    """Whether what was said stands already. An opt-out that only a file told of does not stand as one's own word."""
    only_told = said.state == Consent.State.WITHDRAWN and stands.proof.startswith(FROM_FILE)
    return stands.state == said.state and not only_told


def _happening(said: Consent) -> Happening:
    return Happening(
        said.customer_id,
        KINDS[Consent.State(said.state)],
        said.changed_at,
        source=said.source,
        ref=f"consent:{said.pk}",
        payload={"channel": said.channel, "told": said.source, "proof": said.proof},
    )
