"""What links in a message do: people counted, machines told apart, opt-outs at once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Link, Message, Suppression
from campaigns.tracking.addresses import click_address, open_address, unsubscribe_address
from customers.facts.folding import fold
from customers.models import Channel, Consent, CustomerFacts, Event
from customers.records.consent import withdraw
from retention.common import clock, links
from tests.campaigns import people
from tests.campaigns.sink import Sink

pytestmark = pytest.mark.django_db
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
BODY = '<a href="https://shop.example/back?c={{ customer.id }}">Back</a> <a href="https://shop.example/other">Other</a>'


@pytest.fixture
def message(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Message:
    """A message that was sent an hour ago."""
    take_in(people.campaign(people.segment(rows=people.customers(1)), step={"body": BODY}))
    deliver(30)
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(hours=1))
    return Message.objects.get(state="sent")


def path(address: str) -> str:
    return address.removeprefix("http://testserver")


def click(message: Message, url: str = "back", headers: dict[str, str] | None = None) -> Any:
    link = Link.objects.get(url__contains=url)
    return Client().get(path(click_address(message.pk, link.pk)), headers=PERSON | (headers or {}))


def events(kind: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(kind=kind).order_by("id").values_list("payload", flat=True))


def test_it_works(message: Message, plain_sink: Sink) -> None:
    html = plain_sink.messages()[0].get_body(("html",)).get_content()  # type: ignore[union-attr]
    addresses = re.findall(r'(?:href|src)="http://testserver([^"]+)"', html)
    assert [address[:3] for address in addresses] == ["/c/", "/c/", "/u/", "/o/"]
    answer = Client().get(addresses[0], headers=PERSON)
    assert (answer.status_code, answer["Location"]) == (302, "https://shop.example/back?c=c1")
    pixel = Client().get(addresses[3], headers=PERSON)
    assert pixel["Content-Type"] == "image/gif"
    assert "no-store" in pixel["Cache-Control"]
    message.refresh_from_db()
    assert message.opened_at
    assert message.clicked_at
    assert events("message.clicked")[0]["url"] == "https://shop.example/back?c=c1"
    assert "machine" not in events("message.opened")[0]


def test_the_same_click_again_is_one_event(message: Message) -> None:
    for _ in range(5):
        click(message)
    assert len(events("message.clicked")) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"},
        {"User-Agent": "Mozilla/5.0"},
        {"User-Agent": ""},
        {"User-Agent": "python-requests/2.32"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
    ],
)
def test_machines_are_recorded_as_machines(message: Message, headers: dict[str, str]) -> None:
    assert click(message, headers=headers).status_code == 302
    Client().get(path(open_address(message.pk)), headers=PERSON | headers)
    message.refresh_from_db()
    assert (message.opened_at, message.clicked_at) == (None, None)
    assert events("message.clicked")[0]["machine"]
    assert events("message.opened")[0]["machine"]
    click(message)
    message.refresh_from_db()
    assert message.clicked_at, "the person who comes later counts"


def test_a_machines_click_is_no_fact_about_the_customer(message: Message) -> None:
    click(message, headers={"User-Agent": "curl/8"})
    fold([message.customer_id])
    assert CustomerFacts.objects.get(customer=message.customer).last_click_at is None
    click(message)
    fold([message.customer_id])
    assert CustomerFacts.objects.get(customer=message.customer).last_click_at


def test_head_is_a_machine(message: Message) -> None:
    link = Link.objects.get(url__contains="back")
    Client().head(path(click_address(message.pk, link.pk)), headers=PERSON)
    message.refresh_from_db()
    assert message.clicked_at is None


def test_a_click_in_the_second_of_sending_is_a_machines(message: Message) -> None:
    Message.objects.update(settled_at=clock.now() - timedelta(seconds=1))
    click(message)
    message.refresh_from_db()
    assert message.clicked_at is None
    assert events("message.clicked")[0]["machine"] == "too soon"


def test_all_links_at_once_are_a_machines(message: Message) -> None:
    click(message, "back")
    click(message, "other")
    message.refresh_from_db()
    assert message.clicked_at is None, "the first of them is taken back"
    assert [event.get("machine") for event in events("message.clicked")] == [None, "burst"]


def test_two_links_after_another_are_a_persons(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    click(message, "back")
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(seconds=30))
    click(message, "other")
    message.refresh_from_db()
    assert message.clicked_at
    assert [event.get("machine") for event in events("message.clicked")] == [None, None]


@pytest.mark.parametrize("evidence", ["click", "open"])
def test_evidence_settles_a_message_in_doubt(message: Message, evidence: str) -> None:
    doubtful = _in_doubt(message)
    Event.objects.filter(kind="message.sent").delete()
    if evidence == "click":
        click(doubtful, headers={"User-Agent": "Barracuda"})  # a machine's opening proves arrival too
    else:
        Client().get(path(open_address(doubtful.pk)), headers=PERSON)
    doubtful.refresh_from_db()
    assert doubtful.state == "sent"
    assert len(events("message.sent")) == 1


def _in_doubt(sent: Message) -> Message:
    doubtful = Message.objects.create(
        dedupe_key="x",
        enrolment=sent.enrolment,
        step=sent.step,
        customer=sent.customer,
        due_at=clock.now(),
        send_by=clock.now() + timedelta(days=1),
    )
    for state in ("claimed", "sending", "unknown"):
        Message.objects.filter(pk=doubtful.pk).update(state=state)
    return doubtful


def test_looking_at_the_unsubscribe_page_changes_nothing(message: Message) -> None:
    for method in (Client().get, Client().head):
        answer = method(path(unsubscribe_address(message.pk)), headers=PERSON)
        assert answer.status_code == 200
    assert Consent.objects.get().state == "granted"
    assert not Suppression.objects.exists()
    page = Client().get(path(unsubscribe_address(message.pk))).content.decode()
    assert "c…@example.test" in page
    assert "c1@" not in page


def test_unsubscribing_by_mistake_is_taken_back(message: Message) -> None:
    leave = path(unsubscribe_address(message.pk))
    client = Client(enforce_csrf_checks=True)
    assert b"Keep sending them" in client.post(leave).content
    assert b"You go on getting them" in client.post(leave, {"back": "1"}).content
    consent = Consent.objects.get()
    assert (consent.state, consent.proof) == ("granted", f"message:{message.pk}")
    assert not Suppression.objects.exists()
    assert len(events("consent.granted")) == 1
    assert b"Shall we stop" in client.get(leave).content


def test_a_link_takes_back_its_own_unsubscription_only(message: Message) -> None:
    """Whoever opted out elsewhere, or was on the list before, stays out whatever an old mail's page is sent."""
    leave = path(unsubscribe_address(message.pk))
    Client().post(leave)
    Suppression.objects.update(created_at=clock.now() - timedelta(days=3))
    Client().post(leave, {"back": "1"})
    assert Suppression.objects.exists()
    withdraw(message.customer_id, Channel.EMAIL, "by phone", "", clock.now() + timedelta(minutes=1))
    answer = Client().post(leave, {"back": "1"})
    assert b"Keep sending them" not in answer.content
    assert Consent.objects.get().state == "withdrawn"


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "One-Click"}])
def test_a_post_unsubscribes_without_a_cookie(message: Message, body: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = client.post(path(unsubscribe_address(message.pk)), body)
        assert answer.status_code == 200
        assert b"You are unsubscribed" in answer.content
    consent = Consent.objects.get()
    assert (consent.state, consent.proof) == ("withdrawn", f"message:{message.pk}")
    assert Suppression.objects.get().address == "c1@example.test"
    assert len(events("consent.withdrawn")) == 1
    assert not client.cookies


@pytest.mark.parametrize("kind", ["c", "u"])
@pytest.mark.parametrize("token", ["x", "preview", "WzFd:1abc:sig"])
def test_a_link_that_does_not_work_says_so_kindly(db: None, kind: str, token: str) -> None:
    answer = Client().get(f"/{kind}/{token}/")
    assert answer.status_code == 404
    assert b"This link does not work" in answer.content
    assert Client().get(f"/o/{token}.gif").status_code == 200


def test_a_token_serves_one_purpose(message: Message) -> None:
    other = links.sign("campaigns.open", message.pk)
    assert Client().post(f"/u/{other}/").status_code == 404
    assert Consent.objects.get().state == "granted"


def test_an_old_link_has_ended(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.tracking.addresses.TRACKED_FOR", timedelta(seconds=-1))
    answer = click(message)
    assert answer.status_code == 410
    assert b"This link has ended" in answer.content
    assert not events("message.clicked")
