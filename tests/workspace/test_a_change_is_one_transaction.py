"""A changing request is one transaction, so that it can be tried again; what it does outside of one is named here."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from customers.models import Customer, ManyChange, Segment
from customers.segments import membership
from customers.segments.ready_made import READY_MADE
from customers.together import changing
from retention.workspace import middleware, staff
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.customers.at_once import elsewhere, until, waiting

SignIn = Callable[[str], Client]
ROOMS = ("customers", "surveys", "loyalty", "campaigns", "metrics", "retention/workspace")
#: What reaches out of the database, by the end of what is called.
REACHES = re.compile(r"\b(send_mail|_?channel\.send|send_task|file\.save|file\.delete|write_bytes|write_text|unlink)$")
ANY = re.compile(REACHES.pattern.removesuffix("$") + r"\(")
#: Why each may stand in code that is called twice, or is never called by a request.
NAMED = {
    "campaigns/delivery/channels/outbox.py: draft.write_bytes": "a letter, sent by a worker or as a test",
    "campaigns/delivery/running.py: self._channel.send": "a worker's",
    "campaigns/previewing.py: channel.send": "a test letter, after which its request does nothing that could fail",
    "customers/ingest/imports.py: file.delete": "once the transaction has committed",
    "customers/ingest/imports.py: taken.file.save": "an uploaded file: its request is tried once",
    "customers/ingest/stored.py: file.delete": "a worker's",
    "customers/interactions/keeping.py: row.file.save": "under a random name, which only the row that stays knows",
    "customers/records/exporting.py: path.unlink": "a worker's",
    "customers/segments/list_job.py: _path(name).unlink": "a worker's",
    "retention/workspace/jobs.py: current_app.send_task": "wakes a worker, who finds nothing to do",
    "retention/workspace/staff.py: send_mail": "the last that its request does",
}


def fails_once(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, error: Exception) -> None:
    """The first call does its work, and then somebody was there at the same moment."""
    works, calls = getattr(place, name), []

    def once(*args: Any, **kwargs: Any) -> Any:
        done = works(*args, **kwargs)
        calls.append(name)
        if len(calls) == 1:
            raise error
        return done

    monkeypatch.setattr(place, name, once)


def tagged_twice(client: Client, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many changes stand in the history after one was asked for and had to be tried twice."""
    ada = Customer.objects.create(external_id="ada")
    fails_once(monkeypatch, changing, "apply", Customer.DoesNotExist())
    asked = {"action": "tag", "value": "vip", "pick": [ada.pk], "confirmed": "1"}
    assert client.post("/customers/change/", asked).status_code == 302
    ada.refresh_from_db()
    assert ada.tags == ["vip"]
    return ManyChange.objects.count()


@pytest.mark.django_db(transaction=True)
def test_it_works(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in("account_manager")
    assert tagged_twice(client, monkeypatch) == 1
    monkeypatch.undo()
    ManyChange.objects.all().delete()
    Customer.objects.all().delete()
    monkeypatch.setattr(middleware, "_whole", lambda view, request, args, kwargs: view(request, *args, **kwargs))
    assert tagged_twice(client, monkeypatch) == 2, "a change in pieces is found"


@pytest.mark.django_db(transaction=True)
def test_a_segment_whose_members_were_being_written_is_saved_all_the_same(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the first try undone, its own name would be taken by itself."""
    fails_once(monkeypatch, membership, "refresh", Segment.DoesNotExist())
    key, made = next(iter(READY_MADE.items()))
    answer = signed_in("administrator").post(f"/segments/ready-made/{key}/")
    segment = Segment.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/segments/{segment.pk}/")
    assert (segment.name, bool(segment.computed_at)) == (made.name, True)


@pytest.mark.django_db(transaction=True)
def test_switching_an_account_off_keeps_the_role_that_somebody_else_just_gave(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    anna = User.objects.create_user("anna@example.test", role=Role.ANALYST)
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=anna.pk)
        held.role = Role.MARKETER
        staff.change(held)
        other = elsewhere(lambda: client.post(f"/settings/people/{anna.pk}/access/", {"active": "no"}))
        until(lambda: waiting() == 1)
    other.join()
    anna.refresh_from_db()
    assert (anna.role, anna.is_active) == (Role.MARKETER, False)


def reaching(text: str) -> Iterator[str]:
    """The calls of a module that reach out of the database."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and REACHES.search(called := ast.unparse(node.func)):
            yield called


def everything_reaching() -> set[str]:
    base = Path(settings.BASE_DIR)
    texts = {path: path.read_text() for room in ROOMS for path in (base / room).rglob("*.py")}
    some = {path: text for path, text in texts.items() if ANY.search(text)}  # to read all of them takes seconds
    return {f"{path.relative_to(base)}: {called}" for path, text in some.items() for called in reaching(text)}


def test_what_reaches_out_of_the_database_is_named_with_its_reason() -> None:
    assert everything_reaching() == NAMED.keys()


def test_something_unnamed_is_found() -> None:
    planted = "def view(request):\n    order.save()\n    mail.send_mail('Thanks')\n    order.file.save('a', request)\n"
    assert list(reaching(planted)) == ["mail.send_mail", "order.file.save"]
