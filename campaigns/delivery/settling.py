"""Messages in doubt: settled by later evidence, or by a person who takes it on themselves."""

from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from campaigns.models import EmailStep, Message
from customers.events.recording import Happening, record
from retention.workspace.models import User


class NotInDoubt(Exception):
    """The message is not unconfirmed, or not any more."""


def arrived(message: Message, how: str, at: datetime) -> bool:
    """Evidence that an unconfirmed message arrived. Gives whether that settled anything."""
    return _settle(message, Message.State.SENT, f"Unconfirmed at first; then it was {how}.", at)


def bounced(message: Message, reply: str, at: datetime) -> bool:
    """Evidence that an unconfirmed message did not arrive."""
    return _settle(message, Message.State.FAILED, f"It came back: {reply}"[:200], at)


@transaction.atomic
def mark_sent(message: Message, by: User, at: datetime) -> None:
    """A person says that it arrived. Raises NotInDoubt."""
    if not _settle(message, Message.State.SENT, f"Marked as sent by {by}."[:200], at):
        raise NotInDoubt(message.pk)


@transaction.atomic
def resend(message: Message, by: User, at: datetime) -> Message:
    """A person has it sent again, knowing that it may then arrive twice. Raises NotInDoubt.

    The one in doubt is given up, and a new message, which every gate of the delivery sees anew, stands for it.
    """
    if not _settle(message, Message.State.FAILED, f"Given up and sent again by {by}."[:200], at):
        raise NotInDoubt(message.pk)
    step = EmailStep.objects.get(pk=message.step_id)
    return Message.objects.create(
        dedupe_key=sha256(f"again:{message.dedupe_key}".encode()).hexdigest(),
        enrolment_id=message.enrolment_id,
        step=step,
        customer_id=message.customer_id,
        channel=message.channel,
        resend_of=message,
        due_at=at,
        send_by=at + timedelta(hours=step.send_within_hours),
        created_at=at,
    )


@transaction.atomic
def _settle(message: Message, state: Message.State, reason: str, at: datetime) -> bool:
    in_doubt = Message.objects.filter(pk=message.pk, state=Message.State.UNKNOWN)
    if not in_doubt.update(state=state, reason=reason, settled_at=at, token=None, lease_until=None):
        return False
    campaign = message.step.campaign
    payload = {"message": message.pk, "campaign": campaign.pk, "name": campaign.name, "reason": reason}
    kind = "message.sent" if state == Message.State.SENT else "message.failed"
    record(
        [
            Happening(
                message.customer_id,
                kind,
                at,
                source="campaign",
                ref=f"message:{message.pk}",
                payload=payload,
                dedup_key=f"message:{message.pk}",
            )
        ]
    )
    return True
