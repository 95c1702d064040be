"""Making, using and withdrawing keys."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from customers.cases import handling
from customers.events.recording import Happening, record
from customers.records import timeline
from customers.work.tasks import open_task, take_back
from retention.common import clock
from retention.workspace.models import ApiKey, User
from retention.workspace.roles import Role
from tests.api.program import Program, a_key, a_person
from tests.api.writes import WRITES
from tests.customers.known import customer

SignIn = Callable[[str], Client]
PAGE = "/settings/keys/"


def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    assert "No API keys yet" in client.get(PAGE).content.decode()
    said = {"name": "Shop", "person": a_person().pk, "role": "account_manager", "writes": "on"}
    response = client.post(f"{PAGE}new/", said)
    found = re.search(r'value="(ret_[\w-]{43})"', response.content.decode())
    assert found
    assert "no-store" in response["Cache-Control"]
    key = ApiKey.objects.get()
    assert found[1] not in str(list(ApiKey.objects.values()))
    assert found[1].startswith(key.prefix)
    assert Program(found[1]).get("customers/").status_code == 200
    page = client.get(PAGE).content.decode()
    assert key.prefix in page
    assert found[1] not in page
    assert client.post(f"{PAGE}{key.pk}/revoke/").status_code == 302
    refused = Program(found[1]).get("customers/")
    assert (refused.status_code, refused.json()["detail"]) == (401, "This key was withdrawn.")
    key.refresh_from_db()
    assert (key.revoked_by, key.created_by) == (a_person(), a_person())


def test_a_name_in_use_and_a_day_gone_by_are_refused(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    said = {"name": "Shop", "person": a_person().pk, "role": "analyst"}
    client.post(f"{PAGE}new/", said)
    assert "A key in use has this name." in client.post(f"{PAGE}new/", said | {"name": "SHOP"}).content.decode()
    late = client.post(f"{PAGE}new/", said | {"name": "Late", "until": "2020-01-01"}).content.decode()
    assert "Give a day that is not over." in late
    idle = client.post(f"{PAGE}new/", said | {"name": "Idle", "writes": "on"}).content.decode()
    assert "This role only reads" in idle
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nope", "Basic YTpi", "Bearer ret_" + "x" * 43])
def test_without_a_good_key_the_answer_is_401(header: str, db: None) -> None:
    response = Client().get("/api/v1/customers/", headers={"Authorization": header} if header else {})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert response["Content-Type"] == "application/problem+json"


def test_a_key_ends_with_its_day_and_with_its_person(db: None) -> None:
    text = a_key(expires_at=clock.now() + timedelta(hours=1))
    assert Program(text).get("people/").status_code == 200
    ApiKey.objects.update(expires_at=clock.now())
    assert "expired" in Program(text).get("people/").json()["detail"]
    ApiKey.objects.update(expires_at=None)
    User.objects.update(is_active=False)
    assert "switched off" in Program(text).get("people/").json()["detail"]


@pytest.mark.parametrize(
    ("role", "writes", "of_person", "may"),
    [
        (Role.ACCOUNT_MANAGER, True, Role.ADMINISTRATOR, True),
        (Role.ACCOUNT_MANAGER, False, Role.ADMINISTRATOR, False),
        (Role.ANALYST, True, Role.ADMINISTRATOR, False),
        (Role.ADMINISTRATOR, True, Role.ANALYST, False),
    ],
)
def test_a_key_may_what_its_role_and_its_person_may(
    role: str, writes: bool, of_person: str, may: bool, db: None
) -> None:
    program = Program(a_key(role, writes=writes, person=a_person(of_person)))
    assert program.post("customers/", {"name": "Ada"}).status_code == (201 if may else 403)
    assert program.get("customers/").status_code == 200


def test_the_last_use_is_written_once_a_minute(db: None) -> None:
    program = Program(a_key())

    def written() -> int:
        with CaptureQueriesContext(connection) as queries:
            program.get("people/")
        return sum("UPDATE" in str(query["sql"]) for query in queries)

    assert [written(), written()] == [1, 0]
    ApiKey.objects.update(last_used_at=clock.now() - timedelta(minutes=2))
    assert written() == 1


@pytest.mark.django_db(transaction=True)
def test_a_key_is_used_where_no_test_holds_a_transaction_open() -> None:
    """A request has none of its own around what is noted after it; a test usually has."""
    assert Program(a_key()).get("people/").status_code == 200
    assert ApiKey.objects.get().last_used_at


def test_too_many_requests_in_a_minute_are_refused(settings: Settings, db: None) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    program, other = Program(a_key()), Program(a_key(name="other"))
    answers = [program.get("people/") for _ in range(7)]  # a minute may begin in between, never two
    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
    assert other.get("people/").status_code == 200


def test_what_a_key_writes_says_so_in_the_history(db: None, client: Client) -> None:
    """And only that: what is written after the request is nobody's key's."""
    ada = customer("ada")
    program = Program(a_key(name="Shop export"))
    made = program.post(f"customers/{ada.pk}/interactions/", WRITES["post_interactions"][1]).json()
    program.post(f"customers/{ada.pk}/cases/", {"subject": "Late"})
    program.post(f"customers/{ada.pk}/cases/", {"subject": ""})
    program.patch(f"customers/{ada.pk}/", {"country": "Chad"})
    record([Happening(ada.pk, "usage", clock.now())])
    client.force_login(a_person())
    client.post("/api/v1/events/", {"events": []}, content_type="application/json")
    handling.open_case(ada, subject="By hand", priority="low", assignee_id=None)
    told = [(event.sentence, event.note) for event in timeline.part(ada.pk, []).events]
    assert sum("API key Shop export" in sentence for sentence, _ in told) == 2
    assert sum(note == "By API key Shop export" for _, note in told) == 1
    assert "API key Shop export changed country" in [sentence for sentence, _ in told]
    assert len(told) == 5
    assert (
        "<dt>Logged by</dt><dd>API key Shop export</dd>"
        in client.get(f"/customers/interactions/{made['id']}/").content.decode()
    )
    page = client.get(f"/customers/{ada.pk}/timeline/").content.decode()
    assert page.count("API key Shop export") == 3


def test_what_a_key_changed_and_closed_names_it(db: None, client: Client) -> None:
    """In the place of the person in whose name it acts; what is opened again is nobody's."""
    ada = customer("ada")
    program = Program(a_key(name="Shop export"))
    made = program.post(f"customers/{ada.pk}/interactions/", WRITES["post_interactions"][1]).json()
    program.patch(f"interactions/{made['id']}/", {"text": "Otherwise"}, version=made["version"])
    client.force_login(a_person())
    page = client.get(f"/customers/interactions/{made['id']}/").content.decode()
    assert "by API key Shop export</span>" in page
    task = open_task(ada.pk, "Call", "", clock.now(), None, "")
    program.post(f"tasks/{task.pk}/acts/", {"act": "done"})
    task.refresh_from_db()
    assert task.who_closed == "API key Shop export"
    take_back(task.pk, task.closed_by_id or 0)
    task.refresh_from_db()
    assert task.who_closed == ""
