"""Segments by the API: made, changed and deleted as on their pages, and refused with the place of what is wrong."""

from typing import Any

import pytest

from campaigns.enrolment import take_in
from customers.models import Customer, HandChange, Segment
from customers.segments.membership import refresh
from customers.segments.rules import MAX_DEPTH
from retention.workspace.roles import Role
from tests.api.program import Program, a_key, places
from tests.campaigns import people
from tests.customers.known import customer

MALTESE = {"field": "country", "op": "is", "value": "Malta"}
LIST = {"nobody": True}


def members(program: Program, pk: int) -> list[str]:
    told = program.get(f"segments/{pk}/members/").json()["results"]
    return [each["external_id"] for each in told]


def test_it_works(program: Program) -> None:
    customer("ada", country="Malta")
    customer("ben", country="Chad")
    made = program.post("segments/", {"name": "Malta", "rule": {"all": [MALTESE]}})
    one = made.json()
    assert (made.status_code, one["size"], members(program, one["id"])) == (201, 1, ["ada"])
    assert made["Location"].endswith(f"/segments/{one['id']}/")
    rule = {"not": {"all": [MALTESE]}}
    changed = program.patch(f"segments/{one['id']}/", {"rule": rule}, one["version"])
    assert (changed.status_code, changed.json()["rule"], changed.json()["name"]) == (200, rule, "Malta")
    assert members(program, one["id"]) == ["ben"]
    late = program.patch(f"segments/{one['id']}/", {"name": "Late"}, "v1")
    assert (late.status_code, late.json()["current"]["name"]) == (412, "Malta")
    assert program._send("PATCH", f"segments/{one['id']}/", {"name": "x"}, {}).status_code == 428
    late = program.delete(f"segments/{one['id']}/", one["version"])
    assert (late.status_code, late.json()["current"]["rule"]) == (412, rule)
    assert program.delete(f"segments/{one['id']}/", changed.json()["version"]).status_code == 204
    assert not Segment.objects.exists()


def nested(word: str, depth: int) -> dict[str, Any]:
    if depth == 1:
        return MALTESE
    inner = nested(word, depth - 1)
    return {word: inner if word == "not" else [inner]}


@pytest.mark.parametrize(
    ("rule", "place", "words"),
    [
        (None, "#/rule", "null"),
        ({"all": []}, "#/rule/all", "at least one"),
        ({"some": [MALTESE]}, "#/rule", "exactly one of"),
        ({"all": [MALTESE, {**MALTESE, "field": "planet"}]}, "#/rule/all/1/field", "no field"),
        ({"all": [{**MALTESE, "op": "explodes"}]}, "#/rule/all/0/op", "one of is, is_not"),
        ({"any": [{"field": "orders", "op": "at_least", "value": "2"}]}, "#/rule/any/0/value", "a number"),
        ({"field": "custom.gone", "op": "is", "value": "2"}, "#/rule/field", "no field"),
        ({"field": "segment", "op": "is_in", "value": 77}, "#/rule/value", "no longer there"),
        (nested("not", MAX_DEPTH + 1), "#/rule" + "/not" * MAX_DEPTH, f"more than {MAX_DEPTH} deep"),
        (nested("all", 40), "#/rule" + "/all/0" * MAX_DEPTH, f"more than {MAX_DEPTH} deep"),
        (nested("not", 190), "#/rule" + "/not" * MAX_DEPTH, f"more than {MAX_DEPTH} deep"),
    ],
)
def test_a_rule_is_refused_with_its_place(rule: Any, place: str, words: str, program: Program) -> None:
    response = program.post("segments/", {"name": "Odd", "rule": rule})
    assert response.status_code == 422
    assert list(places(response)) == [place]
    assert words in places(response)[place]
    assert not Segment.objects.exists()


def test_absurd_depth_is_no_more_than_refused(program: Program) -> None:
    for depth in (300, 100_000):
        body = '{"name": "Deep", "rule": ' + '{"not": ' * depth + "1" + "}" * depth + "}"
        response = program.client.generic("POST", "/api/v1/segments/", body, "application/json")
        assert (response.status_code, response.json()["detail"]) == (400, "Lists and objects may be 200 deep.")


def test_names_and_circles_are_refused_as_on_the_page(program: Program) -> None:
    first = program.post("segments/", {"name": "First", "rule": MALTESE}).json()["id"]
    other = {"field": "segment", "op": "is_in", "value": first}
    second = program.post("segments/", {"name": "Second", "rule": {"all": [other]}}).json()["id"]
    assert list(places(program.post("segments/", {"name": "First", "rule": MALTESE}))) == ["#/name"]
    assert list(places(program.post("segments/", {"name": " ", "rule": MALTESE}))) == ["#/name"]
    assert list(places(program.post("segments/", {"name": "Third"}))) == ["#/rule"]
    assert list(places(program.post("segments/", {"name": "Third", "rule": MALTESE, "size": 3}))) == ["#/size"]
    circle = program.patch(f"segments/{first}/", {"rule": {"any": [{**other, "value": second}]}})
    assert "refers back to it" in places(circle)["#/rule/any/0/value"]
    assert Segment.objects.get(pk=first).rule == MALTESE
    standing = program.delete(f"segments/{first}/")
    assert (standing.status_code, standing.json()["detail"]) == (409, "This stands on it: segment “Second”.")


def test_a_list_is_added_to_and_taken_from(program: Program) -> None:
    ada, ben = customer("ada"), customer("ben")
    pk = program.post("segments/", {"name": "Board", "rule": LIST}).json()["id"]
    said = {"act": "in", "customers": [ada.pk], "external_ids": ["ben"], "reason": "Asked to be"}
    added = program.post(f"segments/{pk}/members/", said)
    assert (added.status_code, added.json()["changed"], members(program, pk)) == (201, 2, ["ada", "ben"])
    removed = program.post(f"segments/{pk}/members/", {"act": "rule", "customers": [ben.pk]})
    assert (removed.json()["changed"], members(program, pk)) == (1, ["ada"])
    assert list(HandChange.objects.order_by("pk").values_list("act", "reason")) == [("in", "Asked to be"), ("rule", "")]


def test_who_is_not_there_is_named_and_nobody_changed(program: Program) -> None:
    ada = customer("ada")
    pk = program.post("segments/", {"name": "Board", "rule": LIST}).json()["id"]
    at = f"segments/{pk}/members/"
    wrong = program.post(at, {"act": "in", "customers": [ada.pk, 1], "external_ids": ["ada", "zoe"]})
    assert list(places(wrong)) == ["#/customers/1", "#/external_ids/1"]
    assert list(places(program.post(at, {"act": "in"}))) == ["#/customers"]
    assert list(places(program.post(at, {"act": "away", "customers": [ada.pk]}))) == ["#/act"]
    assert list(places(program.post(at, {"act": "in", "customers": [ada.pk] * 1_001}))) == ["#/customers"]
    assert members(program, pk) == []
    assert program.post("segments/77/members/", {"act": "in", "customers": [ada.pk]}).status_code == 404


@pytest.mark.django_db
def test_mail_that_would_follow_is_agreed_to_by_whoever_may_launch() -> None:
    people.customers(2)
    people.customers(3, start=4, country="ES")
    french = people.segment("French")
    french.rule = {"all": [{"field": "country", "op": "is", "value": "FR"}]}
    french.save()
    refresh([french.pk])
    take_in(people.campaign(french))
    everybody = {"rule": {"field": "country", "op": "is_not", "value": "IT"}}
    manager, marketer = Program(a_key(Role.ACCOUNT_MANAGER)), Program(a_key(Role.MARKETER))
    at, spaniards = f"segments/{french.pk}/", Customer.objects.filter(country="ES")
    put_in = {"act": "in", "customers": [each.pk for each in spaniards]}
    for send, body in ((Program.patch, everybody), (lambda who, url, said: who.post(f"{url}members/", said), put_in)):
        assert send(manager, at, {**body, "agreed": 9}).status_code == 403
        asked = send(marketer, at, body)
        assert (asked.status_code, asked.json()["follows"][0]["customers"]) == (409, 3)
        assert send(marketer, at, {**body, "agreed": 2}).status_code == 409
        assert members(marketer, french.pk) == ["c1", "c2"]
    assert marketer.patch(at, {**everybody, "agreed": 3}).status_code == 200
    assert len(members(marketer, french.pk)) == 5
