"""Mail that came back: delivery reports (RFC 3464) name the message, and say why it did not arrive."""

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.message import Message as Part

from django.db import transaction

from campaigns.delivery.settling import bounced
from campaigns.models import Message, Suppression
from campaigns.suppressing import suppress
from customers.events.recording import Happening, record

OURS = re.compile(r"<([0-9a-f]{40})@")
NO_SUCH_ADDRESS = re.compile(r"5\.1\.")
"""The statuses that say something of the address itself (RFC 3463, 3.2); a full mailbox or a policy says nothing."""


class NoReport(Exception):
    """This is no report of a message of ours that failed for good; the text says what is missing."""


@dataclass(frozen=True)
class Report:
    """A failure for good: which message (the begin of its dedupe key), its status, and the server's words."""

    key: str
    status: str
    words: str


def read(content: bytes) -> Report:
    """What a delivery report says. Raises NoReport."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    key = _key(mail)
    for fields in _recipients(mail):
        if fields.get("Action", "").strip().lower() == "failed":
            words = str(fields.get("Diagnostic-Code", "")).partition(";")[2].strip() or "no reason given"
            return Report(key, str(fields.get("Status", "")).strip(), " ".join(words.split())[:150])
    raise NoReport("It does not say that a message failed for good.")


@transaction.atomic
def take(report: Report, at: datetime) -> Message:
    """Record that the message came back; suppress the address where it is the address that is wrong.

    Raises NoReport where there is no such message.
    """
    message = Message.objects.select_related("step__campaign").filter(dedupe_key__startswith=report.key).first()
    if message is None:
        raise NoReport("No message of ours has this Message-ID.")
    reason = f"{report.status} {report.words}".strip()
    if NO_SUCH_ADDRESS.match(report.status) and message.address:
        suppress(message.address, Suppression.Reason.BOUNCED, at, reason)
    campaign = message.step.campaign
    payload = {"message": message.pk, "campaign": campaign.pk, "name": campaign.name, "reason": reason}
    record(
        [
            Happening(
                message.customer_id,
                "message.bounced",
                at,
                "e-mail",
                f"message:{message.pk}",
                payload,
                f"message:{message.pk}",
            )
        ]
    )
    bounced(message, reason, at)
    return message


def _key(mail: EmailMessage) -> str:
    """Ours, from the headers of the message that came back."""
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            found = OURS.search(_headers(part))
            if found:
                return found[1]
    raise NoReport("It does not carry the headers of a message of ours.")


def _headers(part: Part) -> str:
    if part.is_multipart():
        return "\n".join(str(inner["Message-ID"]) for inner in part.get_payload() if isinstance(inner, Part))
    return str(part.get_payload())


def _recipients(mail: EmailMessage) -> Iterator[Part]:
    """The groups of fields about a recipient."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            yield from (fields for fields in part.get_payload() if isinstance(fields, Part))
