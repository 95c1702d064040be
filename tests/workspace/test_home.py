"""The first page of each role, and the first steps of a new workspace."""

from collections.abc import Callable

import pytest
from django.test import Client

from campaigns.models import Campaign
from customers.models import Customer, Segment
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.places import url_for
from retention.workspace.views.home import FIRST
from surveys.models import Invitation, Survey

SignIn = Callable[[str], Client]


def done(page: str) -> int:
    return page.count("is-done")


def fill_step(position: int) -> None:
    now = clock.now()
    customer, _ = Customer.objects.get_or_create(external_id="c1")
    segment, _ = Segment.objects.get_or_create(name="Quiet", defaults={"rule": {}})
    survey, _ = Survey.objects.get_or_create(name="NPS")
    if position == 3:
        Campaign.objects.create(name="Win back", segment=segment, state="running", launched_at=now)
    if position == 4:
        Invitation.objects.create(survey=survey, customer=customer, origin="x", expires_at=now)


@pytest.mark.parametrize("role", list(FIRST))
def test_an_empty_workspace_opens_on_the_first_steps(role: str, signed_in: SignIn) -> None:
    page = signed_in(role).get("/").content.decode()
    assert page.count("start-step") == 4
    assert done(page) == 0


def test_steps_are_done_when_rows_show_it(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    Customer.objects.create(external_id="c1")
    assert done(client.get("/start/").content.decode()) == 1
    fill_step(2)
    assert done(client.get("/start/").content.decode()) == 2
    fill_step(3)
    assert done(client.get("/start/").content.decode()) == 3
    fill_step(4)
    assert done(client.get("/start/").content.decode()) == 4


@pytest.mark.parametrize("role", list(FIRST))
def test_afterwards_each_role_opens_on_its_place(role: str, signed_in: SignIn) -> None:
    client = signed_in(role)
    fill_step(3)
    fill_step(4)
    place = url_for(User.objects.get(role=role), FIRST[role])
    response = client.get("/")
    assert (response.status_code, response.get("Location")) == ((302, place) if place else (200, None))


def test_the_next_step_is_the_one_to_press(signed_in: SignIn) -> None:
    page = signed_in("analyst").get("/").content.decode()
    assert "btn-primary" not in page, "an analyst is asked to do what an analyst may not"


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ("/today/", "/data/new/"),
        ("/customers/", "/data/new/"),
        ("/today/plans/", "/customers/"),
        ("/today/renewals/", "/data/new/"),
        ("/cases/?state=all", "/data/new/"),
        ("/metrics/books/", "/data/new/"),
        ("/metrics/health/", "/data/new/"),
        ("/customers/hand-overs/new/", "/customers/"),
        ("/surveys/heard/", "/surveys/"),
    ],
)
def test_an_empty_page_leads_to_what_to_do_first(address: str, first: str, signed_in: SignIn) -> None:
    Survey.objects.all().delete()
    page = signed_in("administrator").get(address).content.decode()
    assert f'<a class="btn btn-primary" href="{first}">' in page[page.index('class="nothing"') :]
