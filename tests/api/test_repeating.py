"""A request sent twice under one Idempotency-Key is done once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from customers.models import Customer, Event
from retention.common import clock
from retention.workspace.api import repeating
from retention.workspace.models import ApiKey, KeptAnswer
from tests.api.program import Program, a_key
from tests.customers.known import customer

ADA = {"external_id": "ada", "name": "Ada"}


def test_it_works(program: Program) -> None:
    first = program.post("customers/", ADA, Idempotency_Key="1")
    Customer.objects.update(name="Changed since")
    again = program.post("customers/", ADA, Idempotency_Key="1")
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert [again[name] for name in repeating.TOLD] == [first[name] for name in repeating.TOLD]
    assert (again["Idempotent-Replayed"], "Idempotent-Replayed" in first) == ("true", False)
    assert Customer.objects.count() == Event.objects.count() == 1


def test_the_same_name_for_something_else_is_refused(program: Program) -> None:
    program.post("customers/", ADA, Idempotency_Key="1")
    assert program.post("customers/", {"name": "Ben"}, Idempotency_Key="1").status_code == 409
    assert Customer.objects.count() == 1


def test_names_are_each_keys_own(program: Program) -> None:
    other = Program(a_key(name="other"))
    program.post("customers/", {"name": "Ada"}, Idempotency_Key="1")
    assert other.post("customers/", {"name": "Ben"}, Idempotency_Key="1").status_code == 201


def test_what_failed_can_be_sent_again(program: Program) -> None:
    taken = customer("ada")
    assert program.post("customers/", ADA, Idempotency_Key="1").status_code == 422
    taken.delete()
    assert program.post("customers/", ADA, Idempotency_Key="1").status_code == 201


def test_answers_are_kept_for_two_days(program: Program) -> None:
    program.post("customers/", ADA, Idempotency_Key="1")
    assert repeating.forget() == 0
    KeptAnswer.objects.update(created_at=clock.now() - timedelta(days=2, minutes=1))
    assert repeating.forget() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_done_and_both_are_told_the_same() -> None:
    text = a_key()
    ApiKey.objects.update(last_used_at=clock.now())
    barrier = threading.Barrier(2)
    answers: list[tuple[int, bytes]] = []

    def send() -> None:
        barrier.wait()
        response = Program(text).post("customers/", ADA, Idempotency_Key="1")
        answers.append((response.status_code, response.content))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers[0] == answers[1]
    assert answers[0][0] == 201
    assert Customer.objects.count() == 1
