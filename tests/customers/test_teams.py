"""Teams, key accounts, personas and sources: kept, shown, filtered, asked for, brought in, changed for many at once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.facts import folding
from customers.models import Customer, ManyChange, Segment, SegmentMembership, Team
from customers.segments import membership
from customers.teams.keeping import dissolve, keep
from retention.workspace.models import User
from tests.baseline import assert_query_count
from tests.customers.ingest.bringing import bring, done, mapping, refusals, versions
from tests.customers.known import customer
from tests.customers.router import route

SignIn = Callable[[str], Client]
TEAMS = "/settings/teams/"


def names(client: Client, query: str) -> list[str]:
    return re.findall(r'<td class="main"><a [^>]+>([^<]+)</a>', client.get(f"/customers/?{query}").content.decode())


def test_it_works(signed_in: SignIn) -> None:
    admin, manager = signed_in("administrator"), signed_in("account_manager")
    assert "No teams yet" in admin.get(TEAMS).content.decode()
    me = User.objects.get(role="account_manager")
    assert admin.post(f"{TEAMS}new/", {"name": "North", "members": [me.pk]}).status_code == 302
    north = Team.objects.get()
    said = {
        "name": "Acme",
        "kind": "company",
        "team": north.pk,
        "is_key_account": "on",
        "persona": "Engineer",
        "source": "Fair",
    }
    assert manager.post("/customers/new/", said).status_code == 302
    acme = Customer.objects.get()
    assert (acme.team, acme.is_key_account, acme.persona, acme.source) == (north, True, "Engineer", "Fair")
    page = manager.get(f"/customers/{acme.pk}/").content.decode()
    for words in ("North", "Key account", "Engineer", "Fair"):
        assert words in page
    listed = admin.get(TEAMS).content.decode()
    assert "account_manager@example.test" in listed
    assert f'?team={north.pk}">1</a>' in listed
    assert "Another team has this name." in admin.post(f"{TEAMS}new/", {"name": "NORTH"}).content.decode()
    admin.post(f"{TEAMS}{north.pk}/delete/")
    acme.refresh_from_db()
    assert acme.team is None


@pytest.mark.parametrize("role", ["account_manager", "marketer", "analyst"])
def test_only_administrators_keep_teams(role: str, signed_in: SignIn) -> None:
    team, client = Team.objects.create(name="North"), signed_in(role)
    for url in (TEAMS, f"{TEAMS}new/", f"{TEAMS}{team.pk}/"):
        assert client.get(url).status_code == 403
    assert client.post(f"{TEAMS}{team.pk}/delete/").status_code == 403
    assert Team.objects.exists()


def test_the_list_filters_and_shows_it(signed_in: SignIn) -> None:
    north = Team.objects.create(name="North")
    customer("ada", team=north, is_key_account=True, persona="Engineer", source="Fair")
    customer("bob", persona="Poet")
    client = signed_in("analyst")
    assert names(client, f"team={north.pk}") == ["Ada"]
    assert names(client, "team=none") == ["Bob"]
    assert names(client, "key=yes") == ["Ada"]
    assert names(client, "persona=Poet") == ["Bob"]
    assert names(client, "team=x&key=no") == ["Ada", "Bob"]
    query = "column=team&column=persona&column=source&column=key_account"
    page = client.get(f"/customers/?{query}&team={north.pk}&key=yes").content.decode()
    assert "<td>North</td>" in page
    assert "Remove the filter Team: North" in page
    assert "Remove the filter Key account: Yes" in page
    text = client.post("/customers/export/", {"query": query, "scope": "all"}).content.decode()
    assert text.splitlines()[0].endswith("Team,Key account,Persona,Came by")
    assert text.splitlines()[1].endswith("North,Yes,Engineer,Fair")
    assert_query_count("customers list with more columns", client, f"/customers/?{query}")


@pytest.mark.parametrize(
    ("action", "value", "changed"),
    [
        ("key", "", {"is_key_account": True}),
        ("persona", "Poet", {"persona": "Poet"}),
        ("team", "north", {"team": "north"}),
    ],
)
def test_many_are_changed_at_once(action: str, value: str, changed: dict[str, Any], signed_in: SignIn) -> None:
    north = Team.objects.create(name="North")
    ada, bob = customer("ada"), customer("bob")
    value = str(north.pk) if value == "north" else value
    said = {"action": action, "value": value, "pick": [ada.pk], "query": "", "confirmed": "1"}
    assert signed_in("analyst").post("/customers/change/", said).status_code == 403
    page = signed_in("account_manager").post("/customers/change/", said, follow=True).content.decode()
    assert "1 customer changed" in page
    ada.refresh_from_db()
    bob.refresh_from_db()
    wanted = {name: north if text == "north" else text for name, text in changed.items()}
    assert {name: getattr(ada, name) for name in wanted} == wanted
    assert {name: getattr(bob, name) for name in wanted} != wanted


def test_nonsense_changes_nobody(signed_in: SignIn) -> None:
    ada = customer("ada")
    for said in (
        {"action": "team", "value": "99"},
        {"action": "team", "value": "x"},
        {"action": "persona", "value": "x" * 51},
    ):
        said |= {"confirmed": "1", "pick": str(ada.pk)}
        assert signed_in("account_manager").post("/customers/change/", said).status_code == 422
    assert not ManyChange.objects.exists()


@pytest.mark.django_db
def test_segments_ask_for_it_and_follow_a_renaming() -> None:
    north = Team.objects.create(name="North")
    ada = customer("ada", team=north, is_key_account=True)
    rule = {
        "all": [{"field": "team", "op": "is", "value": "north"}, {"field": "key_account", "op": "is", "value": "yes"}]
    }
    segment = Segment.objects.create(name="Northern keys", rule=rule)
    folding.fold([ada.pk])
    membership.refresh()

    def inside() -> bool:
        return SegmentMembership.objects.filter(segment=segment, left_at=None).exists()

    assert inside()
    north.name = "South"
    keep(north, [])
    route()
    assert not inside()
    north.name = "North"
    keep(north, [])
    route()
    assert inside()
    dissolve(north)
    route()
    assert not inside()


@pytest.mark.django_db
def test_a_file_brings_it() -> None:
    north = Team.objects.create(name="North")
    fields = {"customer_id": "a", "team_id": "b", "is_key_account": "c", "persona": "d"}
    how = mapping({"kind": "customers", "fields": {name: {"column": column} for name, column in fields.items()}})
    text = "a,b,c,d\nada,NORTH,yes,Poet\nbob,,,\ncyd,West,,\n"
    _, taken = bring(how, text)
    assert [reason for _, reason, _ in refusals(taken)] == ["Team: “West” is not the name of a team here."]
    rows = Customer.objects.order_by("external_id").values_list("team", "is_key_account", "persona")
    assert list(rows) == [(north.pk, True, "Poet"), (None, False, "")]
    before = versions()
    done(how, text)
    assert versions() == before
