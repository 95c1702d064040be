"""Customers by the API: found as on their page, added and changed as by their form."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Dirty, Event, FormerId, Segment, SegmentMembership, Team
from customers.records import editing
from retention.common import clock
from retention.workspace.models import SavedView, User
from tests.api.program import Program, a_person, places
from tests.customers.custom.defining import one_of_each
from tests.customers.known import crowd, customer

SignIn = Callable[[str], Client]
VALUES = {
    "contract": "C-1",
    "story": "Long\nago",
    "seats": 12.5,
    "budget": 1000,
    "trained": "2026-03-01",
    "reference": True,
    "site": "https://example.test/a",
    "tier": "gold",
    "areas": ["north"],
}


def test_it_works(program: Program) -> None:
    one_of_each()
    team, owner = Team.objects.create(name="North"), a_person()
    said = {"name": "Ada", "email": "ada@example.test", "owner": owner.pk, "team": team.pk, "tags": ["vip"]}
    made = program.post("customers/", {**said, "external_id": "a/1", "custom": VALUES})
    assert made.status_code == 201, made.content
    ada = made.json()
    assert {name: ada[name] for name in said} == said
    assert ada["custom"] == VALUES
    assert made["Location"] == f"http://testserver/api/v1/customers/{ada['id']}/"
    assert list(Event.objects.values_list("kind", "dedup_key")) == [("customer.created", "created")]
    assert program.get(made["Location"]).json() == ada
    assert program.get("customers/by-external-id/a/1").json() == ada
    change = {"name": "Ada King", "custom": {"tier": None, "seats": 13}}
    changed = program.patch(f"customers/{ada['id']}/", change, ada["version"])
    assert changed.status_code == 200, changed.content
    now = changed.json()
    assert (now["name"], now["email"], now["version"] != ada["version"]) == ("Ada King", ada["email"], True)
    assert now["custom"] == {**{key: value for key, value in VALUES.items() if key != "tier"}, "seats": 13}
    assert Dirty.objects.filter(customer=ada["id"]).exists()


def test_the_second_of_two_is_told_what_stands_and_nothing_is_written_over(program: Program) -> None:
    ada = customer("ada")
    version = program.get(f"customers/{ada.pk}/").json()["version"]
    assert program.patch(f"customers/{ada.pk}/", {"name": "One"}, version).status_code == 200
    late = program.patch(f"customers/{ada.pk}/", {"name": "Two"}, version)
    assert (late.status_code, late.json()["current"]["name"]) == (412, "One")
    assert program.patch(f"customers/{ada.pk}/", {"name": "Two"}, late.json()["current"]["version"]).status_code == 200
    without = program.client.patch(f"/api/v1/customers/{ada.pk}/", "{}", content_type="application/json")
    assert without.status_code == 428


def test_one_who_saves_between_the_look_and_the_lock_is_not_written_over(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = customer("ada")
    change = editing.change

    def late(pk: int, values: dict[str, Any], *rest: Any, by: User) -> None:
        monkeypatch.setattr(editing, "change", change)
        change(pk, {"name": "First"}, ada.updated_at, by=by)
        change(pk, values, *rest, by=by)

    monkeypatch.setattr(editing, "change", late)
    told = program.patch(f"customers/{ada.pk}/", {"name": "Second"})
    assert (told.status_code, told.json()["current"]["name"]) == (412, "First")


@pytest.mark.parametrize(
    ("said", "place", "words"),
    [
        ({"nmae": "Ada"}, "#/nmae", "no such field"),
        ({"id": 5}, "#/id", "read only"),
        ({"custom": {"teir": "gold"}}, "#/custom/teir", "no such field"),
        ({"custom": {"tier": "lead"}}, "#/custom/tier", "lead"),
        ({"custom": {"seats": "12"}}, "#/custom/seats", "number"),
        ({"custom": {"seats": True}}, "#/custom/seats", "number"),
        ({"custom": {"reference": "yes"}}, "#/custom/reference", "true or false"),
        ({"custom": {"areas": ["north", "east"]}}, "#/custom/areas", "east"),
        ({"custom": {"trained": "soon"}}, "#/custom/trained", "date"),
        ({"custom": ["tier"]}, "#/custom", "object"),
        ({"email": "nope"}, "#/email", "valid email"),
        ({"email": "TAKEN@example.test"}, "#/email", "has this address already"),
        ({"external_id": "taken"}, "#/external_id", "already exists"),
        ({"external_id": "former"}, "#/external_id", "since a merge"),
        ({"owner": 999_999}, "#/owner", "valid choice"),
        ({"tags": ["x" * 51]}, "#/tags/0", "50"),
        ({"kind": "dog"}, "#/kind", "dog"),
        ({"name": "", "email": ""}, "#/name", "so that the customer can be found again"),
    ],
)
def test_a_mistake_is_told_at_its_place_and_nothing_is_kept(
    said: dict[str, Any], place: str, words: str, program: Program
) -> None:
    one_of_each()
    other = customer("taken", email="taken@example.test")
    FormerId.objects.create(pk=1, external_id="former", customer=other)
    response = program.post("customers/", {"name": "Ada", **said})
    assert response.status_code == 422
    assert words in places(response)[place]
    assert Customer.objects.count() == 1


def test_an_address_can_be_said_to_be_shared(program: Program) -> None:
    customer("taken", email="taken@example.test")
    said = {"name": "Ada", "email": "taken@example.test", "shared_email": True}
    assert program.post("customers/", said).status_code == 201


def test_a_change_asks_about_nothing_but_what_it_changes(program: Program) -> None:
    ada = customer("ada", email="not an address", country="C0")
    one_of_each()
    assert program.patch(f"customers/{ada.pk}/", {"phone": "55555"}).status_code == 200
    ada.refresh_from_db()
    assert (ada.phone, ada.email, ada.country, ada.name) == ("55555", "not an address", "C0", "Ada")
    assert program.patch(f"customers/{ada.pk}/", {"phone": "ask me"}).status_code == 422


def test_the_list_is_narrowed_as_on_the_page(program: Program, signed_in: SignIn) -> None:
    one_of_each()
    ada = customer("ada", owner=a_person(), attributes={"tier": "gold"}, facts={"stage": "active"}, tags=["vip"])
    ben = customer("ben", country="Malta", is_key_account=True)
    segment = Segment.objects.create(name="Some", rule={"all": []})
    SegmentMembership.objects.create(segment=segment, customer=ben, entered_at=clock.now())
    shared = SavedView.objects.create(
        person=a_person("analyst"), place="customers:list", name="Vips", query="tag=vip&sort=-name&size=25", shared=True
    )

    def ids(**said: Any) -> list[int]:
        response = program.get("customers/", **said)
        assert response.status_code == 200, response.content
        return [each["id"] for each in response.json()["results"]]

    assert ids() == [ada.pk, ben.pk]
    assert ids(sort="-name") == [ben.pk, ada.pk]
    assert ids(q="ben") == ids(segment=segment.pk) == ids(owner="none") == ids(key="yes") == [ben.pk]
    assert ids(tag="vip") == ids(stage="active") == ids(view=shared.pk) == ids(**{"custom.tier": "gold"}) == [ada.pk]


@pytest.mark.parametrize(
    "said",
    [
        {"onwer": "1"},
        {"owner": "me"},
        {"stage": "happy"},
        {"sort": "age"},
        {"size": "0"},
        {"size": "201"},
        {"after": "x"},
        {"view": "999"},
        {"custom.teir": "gold"},
        {"custom.tier": "lead"},
    ],
)
def test_a_parameter_that_says_nothing_is_refused_instead_of_telling_everybody(
    said: dict[str, str], program: Program
) -> None:
    one_of_each()
    response = program.get("customers/", **said)
    assert response.status_code == 400
    assert list(places(response)) == [f"?{next(iter(said))}"]


@pytest.mark.parametrize("sort", ["name", "-name", "revenue", "-last_order"])
def test_pages_tell_everybody_once_in_a_fixed_number_of_queries(sort: str, program: Program) -> None:
    crowd(23)
    program.get("people/")
    seen: list[int] = []
    counts = set()
    url = f"/api/v1/customers/?sort={sort}&size=5"
    while url:
        with CaptureQueriesContext(connection) as queries:
            said = program.get(url).json()
        counts.add(len(queries))
        seen += [each["id"] for each in said["results"]]
        url = said["next"]
    assert len(seen) == len(set(seen)) == 23
    assert len(counts) == 1


def test_an_old_id_of_a_merged_customer_leads_on(program: Program) -> None:
    ada = customer("ada")
    FormerId.objects.create(pk=987_654, external_id="old", customer=ada)
    by_id, by_name = program.get("customers/987654/"), program.get("customers/by-external-id/old")
    assert (by_id.status_code, by_id["Location"]) == (301, f"/api/v1/customers/{ada.pk}/")
    assert (by_name.status_code, by_name["Location"]) == (301, f"/api/v1/customers/{ada.pk}/")
    assert program.patch("customers/987654/", {"name": "x"}).status_code == 308
    gone = program.get("customers/1/")
    assert (gone.status_code, gone["Content-Type"]) == (404, "application/problem+json")
