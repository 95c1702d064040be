"""Logging what was talked about from a line of Today, and being done with the line."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client

from customers.models import Case, Customer, Stage, Task
from customers.work.tasks import open_task
from retention.common import clock
from retention.workspace.models import User
from tests.work.conftest import MakeCustomer

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def task(customer: Customer) -> Task:
    return open_task(customer.pk, f"Call {customer.name}", "Why", clock.now(), None, "")


def log(client: Client, address: str, **more: str) -> str:
    at = (clock.now() - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M")
    sent = {"kind": "call", "text": "All is well.", "happened_at": at} | more
    return client.post(address, sent, follow=True).content.decode()


def logging_of(page: str, customer: Customer) -> str:
    """Where a line of Today leads to log what was talked about."""
    found = re.search(rf'href="(/customers/{customer.pk}/interactions/new/[^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize("ticked", [True, False])
def test_a_talk_is_logged_from_a_line_and_the_line_done_with(
    signed_in: SignIn, manager: User, make: MakeCustomer, ticked: bool
) -> None:
    cafe = make("Cafe", manager)
    asked = task(cafe)
    client = signed_in("account_manager")
    address = logging_of(client.get("/today/?whose=everyones").content.decode(), cafe)
    form = client.get(address).content.decode()
    assert "Done with: Call Cafe" in form
    assert re.search(r'href="/today/\?whose=everyones"[^>]*>Cancel', form)
    page = log(client, address, **({"done": "1"} if ticked else {}))
    assert "Call logged." in page
    assert 'href="?whose=everyones" aria-current="true"' in page
    assert ("Done: Call Cafe – Cafe." in page) is ticked
    assert f'name="need" value="task:{asked.pk}"' in page  # its line, or the way back from being done with
    asked.refresh_from_db()
    assert asked.state == (Task.State.DONE if ticked else Task.State.OPEN)
    assert cafe.interactions.count() == 1


def test_a_need_is_done_with_by_a_talk_too(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    bakery = make("Bakery", manager, stage=Stage.AT_RISK, revenue_365d=Decimal(900))
    client = signed_in("account_manager")
    address = logging_of(client.get("/today/").content.decode(), bakery)
    assert "Done: Find out why they went quiet – Bakery." in log(client, address, done="1")
    assert Task.objects.get(customer=bakery).state == Task.State.DONE


def test_a_refused_talk_leaves_its_line(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    cafe = make("Cafe", manager)
    asked = task(cafe)
    client = signed_in("account_manager")
    page = log(client, f"/customers/{cafe.pk}/interactions/new/?need=task:{asked.pk}", done="1", text="")
    assert re.search(r'name="done" value="1" checked', page)
    asked.refresh_from_db()
    assert asked.state == Task.State.OPEN


@pytest.mark.parametrize("need", ["task:999999", "at_risk:1", "nothing:1", "task:x", ""])
def test_a_talk_about_no_line_of_theirs_is_logged_all_the_same(
    signed_in: SignIn, manager: User, make: MakeCustomer, need: str
) -> None:
    cafe, other = make("Cafe", manager), task(make("Boreal", manager))
    client = signed_in("account_manager")
    for named in (need, f"task:{other.pk}"):
        address = f"/customers/{cafe.pk}/interactions/new/?{urlencode({'need': named})}"
        assert "Done with" not in client.get(address).content.decode()
        assert "Call logged." in log(client, address, done="1")
    other.refresh_from_db()
    assert other.state == Task.State.OPEN


def test_an_answer_logged_from_a_case_answers_it(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    cafe, now = make("Cafe", manager), clock.now()
    case = Case.objects.create(customer=cafe, external_id="C-1", subject="It is cold", opened_at=now)
    client = signed_in("account_manager")
    address = logging_of(client.get(f"/cases/{case.pk}/").content.decode(), cafe)
    page = log(client, address, done="1")
    assert "Done: Answer their case – Cafe." in page
    assert f'aria-label="Log a talk with {cafe.name}"' not in page  # the customer's page, not Today
    case.refresh_from_db()
    assert case.state == Case.State.ANSWERED
    assert "need=case" not in client.get(f"/cases/{case.pk}/").content.decode()
