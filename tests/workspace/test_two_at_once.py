"""Two who do the same at one moment: nobody meets an error of ours, whoever comes second."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import Model
from django.test import Client

from customers.models import Contact, Customer, Playbook, Segment
from customers.segments.ready_made import READY_MADE
from surveys.models import Survey
from tests.api.program import Program, a_key
from tests.customers.at_once import elsewhere, until, waiting

SignIn = Callable[[str], Client]
LAPSING = READY_MADE["lapsing"]


def second(ask: Callable[[], Any], first: Callable[[], object]) -> tuple[int, str]:
    """What a request is answered that is made while somebody else does `first`."""
    answers: list[tuple[int, str]] = []

    def run() -> None:
        response = ask()
        answers.append((response.status_code, response.get("Location", "") or response.content.decode()))

    with transaction.atomic():
        first()
        other = elsewhere(run)
        until(lambda: waiting() == 1 or bool(answers))
    other.join()
    return answers[0]


@pytest.mark.django_db(transaction=True)
def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    client.raise_request_exception = False

    def posted(url: str, first: Model, **said: str) -> tuple[int, str]:
        return second(lambda: client.post(url, said), first.save)

    playbook = Playbook(name="Onboarding")
    assert posted("/playbooks/ready-made/onboarding/", playbook) == (302, f"/playbooks/{playbook.pk}/")
    segment = Segment(name=LAPSING.name, rule=LAPSING.rule)
    assert posted("/segments/ready-made/lapsing/", segment) == (302, f"/segments/{segment.pk}/")
    said = {"name": "NPS", "question": "How likely?", "follow_up": "Why?", "thanks": "Thanks", "open_days": "30"}
    status, page = posted("/surveys/new/", Survey(name="NPS"), **said)
    assert status == 422
    assert "already exists" in page
    assert gone(lambda pk: client.post(f"/customers/people/{pk}/", {"name": "Eva"})) == 404
    program = Program(a_key())
    program.client.raise_request_exception = False
    assert gone(lambda pk: program.patch(f"contacts/{pk}/", {"name": "Eva"})) == 404


def gone(ask: Callable[[int], Any]) -> int:
    """The status of a change of somebody who is taken away at this moment."""
    customer = Customer.objects.create(external_id=uuid4().hex)
    contact = Contact.objects.create(customer=customer, name="Eve")

    def remove() -> None:
        Customer.objects.select_for_update().get(pk=customer.pk)
        contact.delete()

    return second(lambda: ask(contact.pk), remove)[0]
