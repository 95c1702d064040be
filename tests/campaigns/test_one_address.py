"""Two customers with one address are one person to a campaign, and stay so while they are made one and two again."""

import threading
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction

from campaigns import carrying
from campaigns.delivery import departure
from campaigns.delivery.channels import Fate, Outcome
from campaigns.delivery.claiming import Claim, claim
from campaigns.delivery.departure import Departed, Ready, depart
from campaigns.delivery.recording import record
from campaigns.delivery.running import deliver
from campaigns.enrolment import Taken, take_in
from campaigns.models import EmailStep, Enrolment, Message, Recipient, Refusal
from campaigns.reasons import visits
from campaigns.rehearsal import rehearse
from customers.duplicates.moving import CannotMerge
from customers.duplicates.undoing import undo
from customers.models import Customer, Segment
from retention.common import clock
from retention.workspace.models import Workspace
from tests.campaigns import people
from tests.campaigns.sink import Sink
from tests.customers.duplicates.full import boss, united

pytestmark = pytest.mark.django_db


@pytest.fixture
def committing(transactional_db: None) -> Iterator[None]:
    with people.workspace():
        yield


def pair() -> tuple[Customer, Customer]:
    """Both taken in, with addresses of their own."""
    one, other = people.customers(2)
    take_in(people.campaign(people.segment(rows=[one, other])))
    Segment.objects.update(size=2)
    return one, other


def twins() -> tuple[Customer, Customer]:
    """The same; then they have one address."""
    one, other = pair()
    Customer.objects.update(email="both@example.test")
    return one, other


def let_go(held: Claim, address: str = "both@example.test") -> Departed:
    ready = [Ready(each.message_id, each.customer_id, address) for each in held.messages]
    return depart(held, ready, Workspace.current())


def test_it_works() -> None:
    """Who shares an address is refused with the other's name: in one batch, as the rehearsal said, and later."""
    silent = people.customers(1, agreed=False, email="ada@example.test", name="Silent")
    ada = people.customers(1, start=2, email="Ada@example.test", name="Ada")
    rows = [*silent, *ada, *people.customers(1, start=3, email="ADA@example.test"), *people.customers(1, start=4)]
    made = people.segment(rows=rows)
    campaign = people.campaign(made, running=False)
    told = rehearse(campaign)
    assert (told.treated, [(each.gate.name, each.customers) for each in told.blocked]) == (
        2,
        [("agreed", 1), ("only_one", 1)],
    )
    campaign = people.campaign(made, name="Launched")
    assert take_in(campaign) == Taken(treated=2, refused=2, messages=2)
    late = people.customers(1, start=5, email="ada@EXAMPLE.test")
    people.join(made, late)
    assert take_in(campaign) == Taken(refused=1)
    assert set(Refusal.objects.filter(gate="only_one").values_list("customer", flat=True)) == {rows[2].pk, late[0].pk}
    for refused in (rows[2], late[0]):
        assert "same address" in visits(refused.pk)[0].headline
        assert visits(refused.pk)[0].findings[-1].found == "Ada"
    assert all(entry["passed"] for entry in Enrolment.objects.get(customer=ada[0]).gates)


def test_who_came_to_share_it_later_gets_nothing(plain_sink: Sink) -> None:
    one, other = twins()
    deliver(30)
    assert plain_sink.recipients == ["both@example.test"]
    assert {Message.objects.get(customer=one).state, Message.objects.get(customer=other).state} == {
        "sent",
        "suppressed",
    }
    assert Message.objects.get(state="suppressed").reason.startswith("Another customer with the same address")


def test_without_the_verdict_both_would_get_it(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a departure that does not look who was first."""
    monkeypatch.setattr(departure, "_DEPART", departure._DEPART.replace("THEN 'shared'", "THEN verdict"))
    with pytest.raises(AssertionError):
        test_who_came_to_share_it_later_gets_nothing(plain_sink)


def test_of_two_workers_at_once_the_second_waits_and_sees(committing: None) -> None:
    one, _ = twins()
    written, step = threading.Event(), EmailStep.objects.get()

    def other_worker() -> None:
        with transaction.atomic():
            Recipient.objects.create(step=step, address="both@example.test", customer=one)
            written.set()
            with connection.cursor() as cursor:
                for _ in range(20_000):
                    cursor.execute("SELECT pg_sleep(0.005), EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
                    if cursor.fetchone()[1]:
                        break
        connection.close()

    worker = threading.Thread(target=other_worker, daemon=True)
    worker.start()
    assert written.wait(120)
    gone = let_go(claim(10)).gone
    worker.join()
    assert set(Message.objects.filter(pk__in=gone).values_list("customer", flat=True)) == {one.pk}


def test_the_database_refuses_the_second() -> None:
    one, other = twins()
    step = EmailStep.objects.get()
    Recipient.objects.create(step=step, address="both@example.test", customer=one)
    with pytest.raises(IntegrityError):
        Recipient.objects.create(step=step, address="both@example.test", customer=other)


def test_a_merge_between_the_claim_and_the_wire_sends_once(plain_sink: Sink) -> None:
    """Addresses of their own, so that nothing but the merge itself keeps the second message back."""
    one, other = pair()
    held = claim(10)
    assert len(held.messages) == 2
    made = united(one, other)
    assert let_go(held, one.email) == Departed(set(), set()), "what the worker had claimed is not its own any more"
    deliver(30)
    assert plain_sink.recipients == [one.email]
    undo(made.pk, boss())
    assert not Message.objects.filter(state="claimed").exists(), "a claim does not come back: its worker has let go"
    deliver(30)
    assert plain_sink.recipients == [one.email, other.email], "two again, each got it once"


def test_a_merge_that_left_the_claims_would_send_twice(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: claimed messages stay claimed."""
    monkeypatch.setattr(carrying, "_BACK_TO_THE_QUEUE", "SELECT 1")
    with pytest.raises(AssertionError):
        test_a_merge_between_the_claim_and_the_wire_sends_once(plain_sink)


def test_no_merge_on_the_wire_and_no_second_mail_after_undoing_one(plain_sink: Sink) -> None:
    """The address went along with the merge and came back with its undoing: it was written to meanwhile."""
    one, other = pair()
    held = claim(1)
    assert len(let_go(held, one.email).gone) == 1
    with pytest.raises(CannotMerge, match="being sent"):
        united(one, other)
    record(held.token, [Outcome(held.messages[0].message_id, Fate.RETRY)])
    Message.objects.update(due_at=clock.now())
    made = united(one, other, theirs=frozenset({"email"}))
    deliver(30)
    assert plain_sink.recipients == [other.email]
    undo(made.pk, boss())
    deliver(30)
    assert plain_sink.recipients == [other.email], "nobody gets it at this address a second time"
