"""From the queue to the mail server: each message once, and every one accounted for."""

from collections import Counter
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from campaigns.delivery import running
from campaigns.delivery.channels import Fate
from campaigns.delivery.reaping import reap
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Attempt, Campaign, ContactSlot, Enrolment, Link, Message, Suppression
from campaigns.rendering import sandbox
from customers.models import Channel, Consent, Customer, Event
from customers.records.consent import withdraw
from retention.common import clock
from retention.workspace.models import Workspace
from surveys.models import Invitation, Survey
from tests.campaigns import people
from tests.campaigns.babble import babbling
from tests.campaigns.sink import Sink

pytestmark = pytest.mark.django_db


def launched(how_many: int, **fields: Any) -> Campaign:
    campaign = people.campaign(people.segment(rows=people.customers(how_many)), **fields)
    take_in(campaign)
    return campaign


def states() -> dict[str, int]:
    return dict(Counter(Message.objects.values_list("state", flat=True)))


def test_it_works(sink: Sink) -> None:
    Workspace.objects.update(name="Öl & Licht", postal_address="Hauptstraße 1, Berlin", sender_name="Ana")
    launched(25)
    done = deliver(30)
    assert (done.fates[Fate.SENT], done.stopped, done.trouble) == (25, 0, "")
    assert sorted(sink.recipients) == sorted(f"c{n}@example.test" for n in range(1, 26))
    assert states() == {"sent": 25}
    assert Attempt.objects.filter(outcome="sent", reply_code=250).count() == 25
    assert Event.objects.filter(kind="message.sent").count() == 25
    mail = next(mail for mail in sink.messages() if mail["To"] == "c7@example.test")
    message = Message.objects.get(address="c7@example.test")
    assert mail["Subject"] == "We miss you, Customer 7"
    assert mail["From"] == '"Ana" <hello@example.test>' or mail["From"] == "Ana <hello@example.test>"
    assert mail["Message-ID"] == f"<{message.dedupe_key[:40]}@example.test>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert "Dear Customer 7, come back (https://shop.example/back)." in plain
    assert "Hauptstraße 1, Berlin" in plain
    assert "Hauptstraße 1, Berlin" in html
    assert "https://shop.example/back" not in html, "the click goes through us"
    assert mail["List-Unsubscribe"].strip("<>") in html


def test_again_there_is_nothing_to_do(sink: Sink) -> None:
    launched(3)
    deliver(30)
    assert deliver(30).handled == 0
    assert len(sink.accepted) == 3


def test_a_message_waits_until_it_is_due(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    launched(1, step={"wait_hours": 24})
    assert deliver(30).handled == 0
    _later(monkeypatch, timedelta(hours=25))
    assert deliver(30).fates[Fate.SENT] == 1


def test_too_late_is_not_sent(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    launched(1, step={"send_within_hours": 2})
    _later(monkeypatch, timedelta(hours=3))
    deliver(30)
    assert states() == {"expired": 1}
    assert not sink_reached(plain_sink)


def test_a_temporary_refusal_is_tried_again_later(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    launched(3)
    sink.treat("c1@example.test", "rcpt", "450 greylisted", times=1)
    sink.treat("c2@example.test", "data", "452 full", times=1)
    done = deliver(30)
    assert (done.fates[Fate.SENT], done.fates[Fate.RETRY]) == (1, 2)
    assert states() == {"sent": 1, "pending": 2}
    assert Message.objects.get(customer__email="c1@example.test").reason == "450 greylisted"
    assert deliver(30).handled == 0, "not yet"
    _later(monkeypatch, timedelta(minutes=2))
    assert deliver(30).fates[Fate.SENT] == 2
    assert Counter(sink.recipients) == dict.fromkeys([f"c{n}@example.test" for n in (1, 2, 3)], 1)
    assert ContactSlot.objects.count() == 3


def test_waiting_grows_with_each_try(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    launched(1)
    plain_sink.treat("c1@example.test", "rcpt", "450 no")
    waits = []
    for _ in range(10):
        deliver(30)
        message = Message.objects.get()
        waits.append((message.due_at - clock.now()).total_seconds() / 60)
        _later(monkeypatch, message.due_at - clock.now() + timedelta(seconds=1))
    assert [round(wait) for wait in waits] == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]
    assert Attempt.objects.filter(outcome="retry").count() == 10


def test_a_permanent_refusal_fails_only_its_own(sink: Sink) -> None:
    launched(3)
    sink.treat("c1@example.test", "rcpt", "550 nobody here")
    sink.treat("c2@example.test", "data", "554 not that")
    deliver(30)
    assert states() == {"failed": 2, "sent": 1}
    assert Event.objects.get(kind="message.failed", customer__email="c1@example.test").payload["reason"] == (
        "550 nobody here"
    )
    assert ContactSlot.objects.count() == 1, "what did not arrive does not count"


@pytest.mark.parametrize("way", ["drop", "lose"])
def test_a_connection_lost_after_the_content_leaves_doubt(sink: Sink, way: str) -> None:
    launched(12)
    sink.treat("c5@example.test", "data", way, times=1)
    deliver(30)
    doubtful = Message.objects.get(state="unknown")
    assert doubtful.address == "c5@example.test"
    assert doubtful.tries.get().outcome == "unknown"
    assert states() == {"unknown": 1, "sent": 11}
    assert deliver(30).handled == 0, "never again by itself"
    assert max(Counter(sink.recipients).values()) == 1
    assert len(sink.accepted) == (12 if way == "drop" else 11)


def test_a_connection_lost_before_the_content_is_tried_again(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    launched(12)
    sink.treat("c5@example.test", "rcpt", "drop", times=1)
    deliver(30)
    assert states() == {"pending": 1, "sent": 11}
    _later(monkeypatch, timedelta(minutes=2))
    deliver(30)
    assert Counter(sink.recipients) == {f"c{n}@example.test": 1 for n in range(1, 13)}


def test_no_server_at_all_loses_nothing(settings: Any, monkeypatch: pytest.MonkeyPatch, plain_sink: Sink) -> None:
    launched(4)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    done = deliver(30)
    assert "refused" in done.trouble
    assert states() == {"pending": 4}
    assert not Attempt.objects.exists()
    assert "refused" in Message.objects.first().reason  # type: ignore[union-attr]
    settings.EMAIL_PORT = port
    _later(monkeypatch, timedelta(minutes=2))
    assert deliver(30).fates[Fate.SENT] == 4


def test_a_line_that_is_no_reply_costs_only_its_own_message(settings: Any) -> None:
    settings.EMAIL_CONNECTIONS = 1
    with babbling(at=3) as (settings.EMAIL_HOST, settings.EMAIL_PORT):
        settings.EMAIL_URL = "smtp://babbling"
        launched(6)
        deliver(30)
    assert states() == {"sent": 5, "unknown": 1}
    assert Attempt.objects.get(outcome="unknown").reply_code is None


def test_a_nul_that_a_filter_makes_stops_nobody(plain_sink: Sink) -> None:
    launched(
        2, step={"body": """<a href="https://shop.example/{{ '%00' | url_decode }}x">{{ '%00' | url_decode }}</a>"""}
    )
    deliver(30)
    assert states() == {"sent": 2}
    assert Link.objects.get().url == "https://shop.example/x"


@pytest.mark.django_db(transaction=True)
def test_messages_that_meet_an_error_of_ours_let_the_others_go_first(
    plain_sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with people.workspace():
        launched(3)
        monkeypatch.setattr("campaigns.delivery.preparing.about", lambda *_: {"": 0}["gone"])
        with pytest.raises(KeyError):
            deliver(30)
        assert {(m.state, m.due_at > clock.now()) for m in Message.objects.all()} == {("pending", True)}
        monkeypatch.undo()
        _later(monkeypatch, timedelta(minutes=2))
        assert deliver(30).fates[Fate.SENT] == 3


def test_a_chunk_ends_well_before_its_lease(plain_sink: Sink, settings: Any) -> None:
    """What a slow server leaves no time for goes back while it is still ours: it is never in doubt."""
    settings.EMAIL_CONNECTIONS, settings.DELIVERY_LEASE, plain_sink.delay = 1, timedelta(seconds=5), 0.6
    launched(12)
    deliver(30)
    found = states()
    assert found.keys() == {"sent", "pending"}
    assert found["pending"] > 0
    assert Message.objects.filter(state="pending").first().reason == "There was no time left to send it."  # type: ignore[union-attr]


def test_only_who_is_sent_the_question_was_asked(plain_sink: Sink) -> None:
    survey = Survey.objects.create(name="Spring")
    launched(3, step={"survey": survey, "body": "{{ survey.url }}"})
    suppressed, later, asked = Customer.objects.order_by("id")
    withdraw(suppressed.pk, Channel.EMAIL, "test", "", clock.now())
    plain_sink.treat(later.email, "rcpt", "450 later", times=1)
    deliver(30)
    assert states() == {"suppressed": 1, "pending": 1, "sent": 1}
    assert set(Invitation.objects.values_list("customer", flat=True)) == {later.pk, asked.pk}
    assert suppressed.pk not in Event.objects.filter(kind="survey.invited").values_list("customer", flat=True)
    assert Event.objects.filter(kind="survey.invited", customer=asked).count() == 1


def test_connections_are_used_again(sink: Sink) -> None:
    launched(60)
    deliver(30)
    assert sink.sessions <= 5  # four lines, and the one that tries whether the server is there


def test_what_changed_since_the_enrolment_counts(plain_sink: Sink) -> None:
    campaign = launched(7)
    optout, listed, addressless, goal, gone, moved, fine = Customer.objects.order_by("id")
    withdraw(optout.pk, Channel.EMAIL, "test", "", clock.now())
    Suppression.objects.create(channel="email", address=listed.email.upper(), reason="complained")
    Customer.objects.filter(pk=addressless.pk).update(email="")
    Enrolment.objects.filter(customer=goal).update(goal_met_at=clock.now())
    Enrolment.objects.filter(customer=gone).update(left_at=clock.now())
    Customer.objects.filter(pk=moved.pk).update(email="new@example.test")
    deliver(30)
    found = dict(Message.objects.values_list("customer__name", "state"))
    assert found == {
        optout.name: "suppressed",
        listed.name: "suppressed",
        addressless.name: "suppressed",
        goal.name: "cancelled",
        gone.name: "cancelled",
        moved.name: "sent",
        fine.name: "sent",
    }
    assert sorted(plain_sink.recipients) == sorted(["new@example.test", fine.email])
    assert not Message.objects.exclude(state="sent").filter(reason="").exists(), "each says why"
    assert campaign.enrolments.count() == 7


def test_a_paused_campaign_sends_nothing_and_goes_on_later(plain_sink: Sink) -> None:
    campaign = launched(2)
    Campaign.objects.filter(pk=campaign.pk).update(state="paused")
    assert deliver(30).handled == 0
    assert states() == {"pending": 2}
    Campaign.objects.filter(pk=campaign.pk).update(state="running")
    assert deliver(30).fates[Fate.SENT] == 2


def test_nobody_gets_more_than_so_many_a_day(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = people.customers(2)
    Workspace.objects.update(messages_per_day=2, time_zone="UTC")
    for n in range(4):
        take_in(people.campaign(people.segment(f"S{n}", rows), name=f"C{n}", rest_days=0))
    deliver(30)
    assert Counter(plain_sink.recipients) == {"c1@example.test": 2, "c2@example.test": 2}
    assert states() == {"sent": 4, "pending": 4}
    waiting = Message.objects.filter(state="pending").first()
    assert waiting is not None
    assert (waiting.due_at.hour, waiting.due_at.minute) == (0, 0)
    _later(monkeypatch, timedelta(days=1))
    deliver(30)
    assert Counter(plain_sink.recipients) == {"c1@example.test": 4, "c2@example.test": 4}


def test_what_was_sent_earlier_in_the_day_counts(plain_sink: Sink) -> None:
    rows = people.customers(2)
    Workspace.objects.update(messages_per_day=2)
    for n in range(3):
        take_in(people.campaign(people.segment(f"S{n}", rows), name=f"C{n}", rest_days=0))
        deliver(30)
    assert Counter(plain_sink.recipients) == {"c1@example.test": 2, "c2@example.test": 2}


def test_quiet_hours_are_the_customers_own(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: now)
    launched(3)
    Workspace.objects.update(quiet_from=time(20), quiet_until=time(8))
    tokyo, nonsense, london = Customer.objects.order_by("id")
    Customer.objects.filter(pk=tokyo.pk).update(time_zone="Asia/Tokyo")  # 21:00 there
    Customer.objects.filter(pk=nonsense.pk).update(time_zone="Nowhere/Else")
    deliver(30)
    assert sorted(plain_sink.recipients) == sorted([nonsense.email, london.email])
    waiting = Message.objects.get(state="pending")
    assert waiting.due_at - now == timedelta(hours=11)  # 08:00 in Tokyo
    assert waiting.reason == "It is a quiet hour where they are."


def test_a_text_that_cannot_be_filled_in_fails_alone(plain_sink: Sink) -> None:
    rows = people.customers(3)
    Customer.objects.filter(pk=rows[1].pk).update(attributes={"n": 100_000_000})
    body = "{% if customer.attributes.n %}{{ (1..customer.attributes.n) | join: 'x' }}{% endif %}Hello"
    take_in(people.campaign(people.segment(rows=rows), step={"body": body}))
    deliver(30)
    failed = Message.objects.get(state="failed")
    assert failed.customer == rows[1]
    assert "too much" in failed.reason
    assert len(plain_sink.accepted) == 2


def test_where_texts_cannot_be_filled_in_at_all_nothing_is_lost(
    plain_sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(3)
    (tmp_path / "program.py").write_text("raise SystemExit(1)")
    with monkeypatch.context() as broken:
        broken.setattr(sandbox, "PROGRAM", tmp_path / "program.py")
        running._sandbox.close()
        done = deliver(10)
    assert (done.handled, done.trouble) == (0, "The program that fills texts in does not start.")
    assert set(Message.objects.values_list("state", "reason")) == {("pending", done.trouble)}
    _later(monkeypatch, timedelta(minutes=2))
    assert deliver(10).fates[Fate.SENT] == len(plain_sink.accepted) == 3


def test_an_address_that_is_none_fails(plain_sink: Sink) -> None:
    launched(2)
    bad = Customer.objects.order_by("id").first()
    assert bad is not None
    Customer.objects.filter(pk=bad.pk).update(email="a\r\nRCPT TO:<x@y.z>")
    deliver(30)
    assert Message.objects.get(state="failed").customer == bad
    assert plain_sink.recipients == ["c2@example.test"]


def test_what_a_dead_worker_left_is_taken_back(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    launched(4)
    Message.objects.update(state="claimed", lease_until=clock.now() + timedelta(minutes=1))
    first = Message.objects.order_by("id").first()
    assert first is not None
    Message.objects.filter(pk=first.pk).update(state="sending")
    assert (reap().requeued, reap().unknown) == (0, 0)
    _later(monkeypatch, timedelta(minutes=2))
    found = reap()
    assert (found.requeued, found.unknown) == (3, 1)
    deliver(30)
    assert states() == {"sent": 3, "unknown": 1}
    assert len(plain_sink.accepted) == 3


def test_consent_never_asked_is_no_consent(plain_sink: Sink) -> None:
    launched(1)
    Consent.objects.all().delete()
    deliver(30)
    assert states() == {"suppressed": 1}
    assert not sink_reached(plain_sink)


def sink_reached(sink: Sink) -> bool:
    return bool(sink.accepted)


def _later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Move the clock on."""
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + by)
