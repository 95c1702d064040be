"""Two people at one form: the second is told what the first did, loses nothing, and may put theirs in its place."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.test import Client

from customers.health.profiles import ready_made
from customers.models import Case, CustomField, HealthProfile, Team
from loyalty.models import Authority, Policy
from retention.common import clock
from retention.common.opened import CarryingForm
from retention.workspace.models import User, Workspace
from surveys.models import Survey
from tests.customers.health.test_settings import typed as as_typed
from tests.customers.known import customer
from tests.workspace.test_settings import GOOD

SignIn = Callable[[str], Client]


def opened(client: Client, url: str) -> str:
    found = re.search(r'name="opened" value="([^"]+)"', client.get(url).content.decode())
    assert found, f"{url} does not say what it was opened on"
    return found[1]


def somebody() -> tuple[str, dict[str, Any], Callable[[], str]]:
    who = User.objects.create_user("a@example.test", role="analyst", first_name="Ann", last_name="B")
    typed = {"first_name": "Anna", "last_name": "B", "role": "analyst"}
    return f"/settings/people/{who.pk}/", typed, lambda: User.objects.get(pk=who.pk).first_name


def the_workspace() -> tuple[str, dict[str, Any], Callable[[], str]]:
    return "/settings/", GOOD | {"name": "Anna"}, lambda: Workspace.current().name


def a_survey() -> tuple[str, dict[str, Any], Callable[[], str]]:
    survey = Survey.objects.create(name="Spring", question="?", follow_up="Why?", thanks="Thanks.")
    typed = {"name": "Anna", "question": "?", "follow_up": "Why?", "thanks": "Thanks.", "open_days": "30"}
    return f"/surveys/{survey.pk}/edit/", typed, lambda: Survey.objects.get(pk=survey.pk).name


def a_health_profile() -> tuple[str, dict[str, Any], Callable[[], str]]:
    HealthProfile.objects.create(name="Rest", inputs=ready_made())
    return "/settings/health/everybody-else/", as_typed(), lambda: HealthProfile.objects.get().name


def a_team() -> tuple[str, dict[str, Any], Callable[[], str]]:
    team = Team.objects.create(name="North")
    return f"/settings/teams/{team.pk}/", {"name": "Anna"}, lambda: Team.objects.get().name


def a_custom_field() -> tuple[str, dict[str, Any], Callable[[], str]]:
    field = CustomField.objects.create(key="size", label="Size", type="choice", choices=["S", "M"])
    typed = {"label": "Anna", "choices": "S\nM\nL"}
    return f"/settings/fields/{field.pk}/", typed, lambda: CustomField.objects.get().label


PLACES: dict[Callable[[], Any], str] = {
    somebody: "first_name",
    the_workspace: "name",
    a_survey: "name",
    a_health_profile: "name",
    a_team: "name",
    a_custom_field: "label",
}


@pytest.mark.parametrize("place", PLACES)
def test_it_works(place: Callable[[], Any], signed_in: SignIn) -> None:
    client = signed_in("administrator")
    url, typed, stands = place()
    name = PLACES[place]
    mark = opened(client, url)
    assert client.post(url, typed | {name: "Theirs", "opened": mark}).status_code == 302
    refused = client.post(url, typed | {name: "Ours", "opened": mark})
    page = refused.content.decode()
    assert stands() == "Theirs"
    assert "Somebody else saved this" in page
    assert "“Theirs”" in page
    assert "None “" not in page
    assert 'value="Ours"' in page
    again = re.search(r'name="opened" value="([^"]+)"', page)
    assert again
    assert client.post(url, typed | {name: "Ours", "opened": again[1]}).status_code == 302
    assert stands() == "Ours"


def test_nor_do_two_who_set_limits_overwrite_each_other(signed_in: SignIn) -> None:
    limits, client = Authority.objects.create(role="account_manager", discount_most=10), signed_in("administrator")
    for url, name, stands in (
        (f"/loyalty/limits/{limits.pk}/", "discount_most", lambda: Authority.objects.get().discount_most),
        ("/loyalty/limits/", "days_to_answer", lambda: Policy.current().days_to_answer),
    ):
        mark, typed = opened(client, url), {"training_cost": "150"}
        assert client.post(url, typed | {name: "20", "opened": mark}).status_code == 302
        refused = client.post(url, typed | {name: "30", "opened": mark})
        assert refused.status_code == 422
        assert "Somebody else saved this" in refused.content.decode()
        assert 'value="30"' in refused.content.decode()
        assert stands() == 20


def test_what_the_other_saved_is_told_in_the_forms_words_and_what_is_alike_is_not(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    me = User.objects.get()
    case = Case.objects.create(
        customer=customer(), external_id="a", subject="Broken", assignee=me, opened_at=clock.now()
    )
    url, mark = f"/cases/{case.pk}/edit/", opened(client, f"/cases/{case.pk}/edit/")
    typed = {"subject": "Broken", "priority": "high", "assignee": me.pk, "opened": mark}
    assert client.post(url, typed).status_code == 302
    page = client.post(url, typed | {"subject": "Ours", "priority": "low"}).content.decode()
    assert "Theirs says: Priority “High”. What" in page


class _Words(CarryingForm):
    said = forms.CharField(widget=forms.Textarea)


def test_how_a_browser_ends_lines_is_no_change() -> None:
    opened_at = _Words(initial={"said": "one\ntwo"}).carried("first")
    as_sent, changed = (_Words({"said": said, "opened": opened_at}) for said in ("one\r\ntwo", "one\r\n\r\ntwo"))
    assert as_sent.is_valid()
    assert changed.is_valid()
    assert (as_sent.touched, changed.touched) == (set(), {"said"})
