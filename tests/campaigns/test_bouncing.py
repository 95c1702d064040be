"""Mail that comes back is recorded, and settles what was in doubt."""

import pytest

from campaigns.bouncing import NoReport, read, take
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Message, Suppression
from customers.models import Event
from retention.common import clock
from tests.campaigns import people
from tests.campaigns.sink import Sink

pytestmark = pytest.mark.django_db

REPORT = """From: MAILER-DAEMON@mx.example
To: hello@example.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; c1@example.test
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such
    user here

--b
Content-Type: {kind}

From: hello@example.test
To: c1@example.test
Message-ID: {message_id}
Subject: We miss you

--b--
"""


def report(sink: Sink, *, action: str = "failed", status: str = "5.1.1", kind: str = "text/rfc822-headers") -> bytes:
    message_id = sink.messages()[0]["Message-ID"]
    return REPORT.format(action=action, status=status, kind=kind, message_id=message_id).encode()


@pytest.fixture
def sent(plain_sink: Sink) -> Sink:
    take_in(people.campaign(people.segment(rows=people.customers(1))))
    deliver(30)
    return plain_sink


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_it_works(sent: Sink, kind: str) -> None:
    for _ in range(2):  # the same report twice is one
        take(read(report(sent, kind=kind)), clock.now())
    event = Event.objects.get(kind="message.bounced")
    assert event.payload["reason"] == "5.1.1 550 5.1.1 no such user here"
    entry = Suppression.objects.get()
    assert (entry.address, entry.reason) == ("c1@example.test", "bounced")
    assert Message.objects.get().state == "sent", "it was sent; it came back"


def test_a_full_mailbox_does_not_condemn_the_address(sent: Sink) -> None:
    take(read(report(sent, status="5.2.2")), clock.now())
    assert Event.objects.filter(kind="message.bounced").exists()
    assert not Suppression.objects.exists()


def test_it_settles_a_message_in_doubt(plain_sink: Sink) -> None:
    take_in(people.campaign(people.segment(rows=people.customers(1))))
    plain_sink.treat("c1@example.test", "data", "drop", times=1)
    deliver(30)
    assert Message.objects.get().state == "unknown"
    take(read(report(plain_sink)), clock.now())
    message = Message.objects.get()
    assert (message.state, message.reason) == ("failed", "It came back: 5.1.1 550 5.1.1 no such user here")


def test_what_is_no_report_says_what_is_missing(sent: Sink) -> None:
    with pytest.raises(NoReport, match="headers"):
        read(b"Subject: I am on holiday\n\nUntil Monday.")
    with pytest.raises(NoReport, match="failed for good"):
        read(report(sent, action="delayed"))
    strange = report(sent).replace(sent.messages()[0]["Message-ID"].encode(), b"<" + b"0" * 40 + b"@example.test>")
    with pytest.raises(NoReport, match="No message of ours"):
        take(read(strange), clock.now())
