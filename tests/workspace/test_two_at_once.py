"""Two who do the same at one moment: nobody meets an error of ours, whoever comes second."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import Model
from django.test import Client

from customers.models import Playbook, Segment
from customers.segments.ready_made import READY_MADE
from surveys.models import Survey
from tests.customers.at_once import elsewhere, until, waiting

SignIn = Callable[[str], Client]
LAPSING = READY_MADE["lapsing"]


def second(client: Client, url: str, first: Model, **said: str) -> tuple[int, str]:
    """What a POST answers while somebody else's `first` is being written."""
    answers: list[tuple[int, str]] = []

    def post() -> None:
        response = client.post(url, said)
        answers.append((response.status_code, response.get("Location", "") or response.content.decode()))

    with transaction.atomic():
        first.save()
        other = elsewhere(post)
        until(lambda: waiting() == 1 or bool(answers))
    other.join()
    return answers[0]


@pytest.mark.django_db(transaction=True)
def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    client.raise_request_exception = False
    playbook = Playbook(name="Onboarding")
    assert second(client, "/playbooks/ready-made/onboarding/", playbook) == (302, f"/playbooks/{playbook.pk}/")
    segment = Segment(name=LAPSING.name, rule=LAPSING.rule)
    assert second(client, "/segments/ready-made/lapsing/", segment) == (302, f"/segments/{segment.pk}/")
    said = {"name": "NPS", "question": "How likely?", "follow_up": "Why?", "thanks": "Thanks", "open_days": "30"}
    status, page = second(client, "/surveys/new/", Survey(name="NPS"), **said)
    assert status == 422
    assert "already exists" in page
