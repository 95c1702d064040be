"""What a message's recipient was seen to do: events for the timeline, first times on the message itself.

A machine that opens everything is recorded as one and left out of the rates. Whoever opens a message proves that it
arrived, person or machine: that settles one in doubt.
"""

from datetime import datetime

from django.db import transaction

from campaigns.delivery.settling import arrived
from campaigns.models import Link, Message
from campaigns.tracking.prefetching import BURST
from customers.events.recording import Happening, record
from customers.models import Event

OPENED, CLICKED = "message.opened", "message.clicked"


@transaction.atomic
def opened(message_id: int, machine: str, at: datetime) -> None:
    """The pixel was fetched. `machine` says why it was no person, or is empty."""
    message = _message(message_id)
    if message is None:
        return
    record([_seen(message, OPENED, "open", machine, at, {})])
    arrived(message, "opened", at)
    if not machine:
        Message.objects.filter(pk=message_id, opened_at=None).update(opened_at=at)


@transaction.atomic
def clicked(message_id: int, link: Link, machine: str, at: datetime) -> None:
    """A link was followed. Several different ones at once are a machine's doing, the first of them included."""
    message = _message(message_id)
    if message is None:
        return
    burst = not machine and _others_just_now(message, link, at)
    record([_seen(message, CLICKED, f"click:{link.pk}", "burst" if burst else machine, at, {"url": link.url})])
    arrived(message, "clicked", at)
    if burst:
        Message.objects.filter(pk=message_id, clicked_at__gt=at - BURST).update(clicked_at=None)
    elif not machine:
        Message.objects.filter(pk=message_id, clicked_at=None).update(clicked_at=at)


def _message(message_id: int) -> Message | None:
    """The message, locked: two requests of one reader are taken one after the other."""
    messages = Message.objects.select_related("step__campaign").select_for_update(of=("self",))
    return messages.filter(pk=message_id).first()


def _others_just_now(message: Message, link: Link, at: datetime) -> bool:
    just_now = Event.objects.filter(customer=message.customer_id, kind=CLICKED, occurred_at__gt=at - BURST)
    return just_now.filter(ref=f"message:{message.pk}").exclude(payload__url=link.url).exists()


def _seen(message: Message, kind: str, what: str, machine: str, at: datetime, more: dict[str, str]) -> Happening:
    campaign = message.step.campaign
    return Happening(
        message.customer_id,
        kind,
        at,
        source="e-mail",
        ref=f"message:{message.pk}",
        payload={"message": message.pk, "campaign": campaign.pk, "name": campaign.name, **more}
        | ({"machine": machine} if machine else {}),
        dedup_key=f"message:{message.pk}:{what}{':machine' if machine else ''}",
    )
