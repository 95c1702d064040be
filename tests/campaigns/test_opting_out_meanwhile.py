"""An opt-out and a worker at the same moment: once the opt-out is committed, nothing begins."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from campaigns.delivery import departure
from campaigns.delivery.claiming import claim
from campaigns.delivery.departure import Ready, depart
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Attempt, Message
from campaigns.tracking.leaving import unsubscribe
from customers.models import Channel, Customer
from customers.records.consent import withdraw
from retention.common import clock
from retention.workspace.models import Workspace
from tests.campaigns import people
from tests.campaigns.sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def workspace(transactional_db: None) -> Iterator[None]:
    with people.workspace():
        yield


class Meanwhile(threading.Thread):
    """Something done on a database connection of its own."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.start()

    def run(self) -> None:
        try:
            self._work()
        finally:
            connection.close()


def opt_out_half_done(sink: Sink) -> list[str]:
    """Deliver while an opt-out is written and not yet committed; who got something after it was committed."""
    take_in(people.campaign(people.segment(rows=people.customers(1))))
    customer = Customer.objects.get()
    written, go_on = threading.Event(), threading.Event()

    def opt_out() -> None:
        with transaction.atomic():
            withdraw(customer.pk, Channel.EMAIL, "test", "", clock.now())
            written.set()
            go_on.wait(120)

    other = Meanwhile(opt_out)
    written.wait(120)
    held = claim(10)
    departed = depart(
        held, [Ready(m.message_id, m.customer_id, customer.email) for m in held.messages], Workspace.current()
    )
    go_on.set()
    other.join()
    return ["the message" for _ in departed.gone]


def test_nothing_begins_while_an_opt_out_is_written(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opt_out_half_done(plain_sink) == []
    message = Message.objects.get()
    assert (message.state, message.reason) == ("pending", "Their record was being changed at that moment.")
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=1))
    deliver(10)
    message.refresh_from_db()
    assert message.state == "suppressed"
    assert not plain_sink.accepted


def test_the_same_without_the_lock_is_found(plain_sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug: were the customer's row not locked, the message would begin after the opt-out."""
    unlocked = departure._CUSTOMERS.replace("FOR SHARE SKIP LOCKED", "")
    assert unlocked != departure._CUSTOMERS
    monkeypatch.setattr(departure, "_CUSTOMERS", unlocked)
    assert opt_out_half_done(plain_sink) == ["the message"]


def test_an_opt_out_waits_for_a_departure(plain_sink: Sink) -> None:
    (customer,) = people.customers(1)
    done: list[datetime] = []

    def opt_out() -> None:
        withdraw(customer.pk, Channel.EMAIL, "test", "", clock.now())
        done.append(clock.now())

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(departure._CUSTOMERS, [[customer.pk]])
        other = Meanwhile(opt_out)
        other.join(0.5)
        assert other.is_alive(), "it waits"
        departed = clock.now()
    other.join(120)
    assert done
    assert done[0] > departed


def test_many_opt_outs_during_a_delivery(plain_sink: Sink) -> None:
    take_in(people.campaign(people.segment(rows=people.customers(150))))
    plain_sink.delay = 0.005
    committed: dict[int, datetime] = {}
    messages = list(Message.objects.select_related("customer").order_by("-id"))

    def opt_outs() -> None:
        for message in messages[::2]:
            unsubscribe(message, "test", clock.now())
            committed[message.customer_id] = clock.now()

    other = Meanwhile(opt_outs)
    deliver(60)
    other.join()
    for attempt in Attempt.objects.select_related("message"):
        at = committed.get(attempt.message.customer_id)
        assert at is None or attempt.started_at < at
    tried = set(Attempt.objects.values_list("message__address", flat=True))
    assert set(plain_sink.recipients) == tried
    assert Message.objects.filter(state__in=["claimed", "sending", "unknown"]).count() == 0
