"""Other systems tell what happened: many at once, each once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import CustomerFacts, Event, FormerId
from retention.common import clock
from tests.api.program import Program, places
from tests.customers.known import crowd, customer
from tests.customers.router import route


def usage(key: str, **said: Any) -> dict[str, Any]:
    return {"kind": "usage", "key": key, **said}


def test_it_works(program: Program) -> None:
    ada = customer("ada")
    at = (clock.now() - timedelta(days=1)).isoformat()
    told = [
        usage("1", customer=ada.pk, occurred_at=at, payload={"feature": "export"}),
        {"kind": "reported", "name": "Came to the webinar", "key": "2", "external_id": "ada"},
    ]
    assert program.post("events/", {"events": told}).json() == {"accepted": 2}
    program.post("events/", {"events": told})
    listed = program.get(f"customers/{ada.pk}/events/").json()["results"]
    assert [(each["kind"], each["sentence"], each["source"]) for each in listed] == [
        ("reported", "Came to the webinar", "api"),
        ("usage", "Used the product", "api"),
    ]
    assert program.get(f"customers/{ada.pk}/events/", show="Other systems").json()["results"] == listed[:1]
    route()
    assert CustomerFacts.objects.get(customer=ada).usage_30d == 1


def test_an_instant_that_nobody_means_is_refused(program: Program) -> None:
    """At the ends of the calendar it would have no day in some zone, and its page could never be shown."""
    ada = customer("ada")
    for at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        refused = program.post("events/", {"events": [usage("1", customer=ada.pk, occurred_at=at)]})
        assert "between 1900 and 2199" in places(refused)["#/events/0/occurred_at"]
        refused = program.post(f"customers/{ada.pk}/tasks/", {"title": "Call", "due": at[:10]})
        assert refused.status_code == 422


def test_a_thousand_take_as_many_statements_as_ten(program: Program) -> None:
    people = crowd(100)
    program.get("people/")

    def told(number: int) -> int:
        events = [usage(f"{number}-{n}", external_id=people[n % 100].external_id) for n in range(number)]
        with CaptureQueriesContext(connection) as queries:
            assert program.post("events/", {"events": events}).status_code == 201
        return len(queries)

    assert told(10) == told(1_000)
    assert Event.objects.count() == 1_010


def test_who_is_not_there_is_named_and_nothing_is_recorded(program: Program) -> None:
    ada = customer("ada")
    events = [usage("1", customer=ada.pk), usage("2", customer=5), usage("3", external_id="eve")]
    response = program.post("events/", {"events": events})
    assert list(places(response)) == ["#/events/1", "#/events/2"]
    assert not Event.objects.exists()


def test_old_ids_of_a_merged_customer_mean_whom_they_lead_to(program: Program) -> None:
    ada = customer("ada")
    FormerId.objects.create(pk=987_654, external_id="old", customer=ada)
    told = [usage("1", customer=987_654), usage("2", external_id="old")]
    assert program.post("events/", {"events": told}).status_code == 201
    assert set(Event.objects.values_list("customer", flat=True)) == {ada.pk}


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"kind": "order.placed"}, "#/events/0/kind"),
        ({"external_id": "ada"}, "#/events/0/customer"),
        ({"name": "x"}, "#/events/0/name"),
        ({"kind": "reported"}, "#/events/0/name"),
        ({"payload": []}, "#/events/0/payload"),
        ({"payload": {"text": "x" * 4_000}}, "#/events/0/payload"),
        ({"occurred_at": "2200-01-01T00:00:00Z"}, "#/events/0/occurred_at"),
        ({"knid": "usage"}, "#/events/0/knid"),
    ],
)
def test_a_mistake_is_told_at_its_place(said: dict[str, Any], place: str, program: Program) -> None:
    ada = customer("ada")
    response = program.post("events/", {"events": [usage("1", customer=ada.pk) | said]})
    assert list(places(response)) == [place]


def test_more_than_a_thousand_are_refused(program: Program) -> None:
    ada = customer("ada")
    events = [usage(str(n), customer=ada.pk) for n in range(1_001)]
    assert program.post("events/", {"events": events}).status_code == 422
    assert program.post("events/", {"events": []}).status_code == 422
    assert not Event.objects.exists()
