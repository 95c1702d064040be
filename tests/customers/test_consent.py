"""Agreeing and opting out, and what an opt-out holds back."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from customers.models import Consent, Customer, Event
from customers.records import consent

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def ada(db: None) -> Customer:
    return Customer.objects.create(external_id="ada")


def state(customer: Customer) -> str:
    return Consent.objects.get(customer=customer, channel="email").state


def test_it_works(ada: Customer) -> None:
    consent.grant(ada.pk, "email", "sign-up form", "form 12", NOON)
    assert state(ada) == Consent.State.GRANTED
    consent.withdraw(ada.pk, "email", "unsubscribe link", "message:7", NOON + timedelta(days=1))
    assert state(ada) == Consent.State.WITHDRAWN
    given, withdrawn = Event.objects.filter(customer=ada).order_by("occurred_at").values_list("kind", "payload")
    assert given == ("consent.granted", {"channel": "email", "told": "sign-up form", "proof": "form 12"})
    assert withdrawn == ("consent.withdrawn", {"channel": "email", "told": "unsubscribe link", "proof": "message:7"})


def test_saying_it_twice_is_saying_it_once(ada: Customer) -> None:
    for minute in range(3):
        consent.withdraw(ada.pk, "email", "unsubscribe link", "", NOON + timedelta(minutes=minute))
    row = Consent.objects.get(customer=ada)
    assert row.changed_at == NOON
    assert Event.objects.filter(kind="consent.withdrawn").count() == 1


def test_old_news_does_not_undo_an_opt_out(ada: Customer) -> None:
    consent.withdraw(ada.pk, "email", "unsubscribe link", "", NOON)
    consent.grant(ada.pk, "email", "import", "", NOON - timedelta(days=30))
    assert state(ada) == Consent.State.WITHDRAWN


def test_an_unknown_customer(db: None) -> None:
    with pytest.raises(Customer.DoesNotExist):
        consent.withdraw(1, "email", "unsubscribe link", "", NOON)


def in_a_thread(customer: Customer) -> tuple[threading.Thread, threading.Event]:
    """Withdraw on a connection of its own; the event is set once that is committed."""
    committed = threading.Event()

    def work() -> None:
        try:
            consent.withdraw(customer.pk, "email", "unsubscribe link", "", NOON)
            committed.set()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, committed


@pytest.mark.django_db(transaction=True)
def test_an_opt_out_waits_for_a_sender_that_was_first() -> None:
    customer = Customer.objects.create(external_id="ada")
    consent.grant(customer.pk, "email", "form", "", NOON - timedelta(days=1))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM customers_customer WHERE id = %s FOR SHARE", [customer.pk])
        thread, committed = in_a_thread(customer)
        assert not committed.wait(0.3), "the opt-out did not wait for the sender"
        assert state(customer) == Consent.State.GRANTED
    assert committed.wait(120)
    thread.join()
    assert state(customer) == Consent.State.WITHDRAWN


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_comes_second_sees_the_opt_out() -> None:
    customer = Customer.objects.create(external_id="ada")
    consent.grant(customer.pk, "email", "form", "", NOON - timedelta(days=1))
    seen: list[str] = []

    def send() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT id FROM customers_customer WHERE id = %s FOR SHARE", [customer.pk])
                seen.append(state(customer))
        finally:
            connection.close()

    sender = threading.Thread(target=send)
    with transaction.atomic():
        consent.withdraw(customer.pk, "email", "unsubscribe link", "", NOON)
        sender.start()
        sender.join(0.3)
        assert sender.is_alive(), "the sender did not wait for the opt-out"
        assert seen == []
    sender.join(120)
    assert seen == [Consent.State.WITHDRAWN]
