"""Orders by the API: as files bring them, told again without effect."""

from typing import Any

from customers.models import Dirty, Event, FormerId, Order
from retention.common import clock
from tests.api.program import Program, places
from tests.customers.known import customer

PLACED: dict[str, Any] = {
    "external_id": "shop-1",
    "customer_external_id": "ada",
    "ordered_at": "2026-03-01T10:00:00Z",
    "currency": "EUR",
    "lines": [{"sku": "A-1", "quantity": "2", "unit_price": "4.50"}, {"description": "Post", "unit_price": "1"}],
}


def events() -> list[tuple[int, str, str, str]]:
    found = Event.objects.filter(kind__startswith="order").order_by("pk")
    return [(row.customer_id, row.kind, row.payload["amount"], row.source) for row in found]


def test_it_works(program: Program) -> None:
    ada = customer("ada")
    made = program.post("orders/", PLACED)
    assert (made.status_code, made.json()["amount"], made.json()["customer"]) == (201, "10.0000", ada.pk)
    assert [(line["position"], line["quantity"]) for line in made.json()["lines"]] == [(1, "2.000"), (2, "1.000")]
    assert made["Location"].endswith(f"/orders/{made.json()['id']}/")
    again = program.post("orders/", PLACED)
    assert (again.status_code, again.json()) == (200, made.json())
    assert events() == [(ada.pk, "order.placed", "10.00", "api")]
    assert not Dirty.objects.exists()


def test_what_is_not_said_stays(program: Program) -> None:
    ada = customer("ada")
    program.post("orders/", PLACED)
    changed = program.post("orders/", {"external_id": "shop-1", "refunded": "2.5", "state": "refunded"}).json()
    assert (changed["net"], changed["currency"], len(changed["lines"])) == ("7.5000", "EUR", 2)
    assert list(Dirty.objects.values_list("customer_id", flat=True)) == [ada.pk]
    assert len(events()) == 1
    program.post("orders/", {"external_id": "shop-1", "state": "cancelled"})
    program.post("orders/", {"external_id": "shop-1", "state": "cancelled"})
    assert [kind for _, kind, _, _ in events()] == ["order.placed", "order.cancelled"]
    fewer = program.post("orders/", {"external_id": "shop-1", "lines": [{"sku": "B", "unit_price": "3"}]}).json()
    assert (fewer["amount"], [line["sku"] for line in fewer["lines"]]) == ("3.0000", ["B"])


def test_an_order_may_turn_out_to_be_somebody_elses_or_nobodys(program: Program) -> None:
    ada, bob = customer("ada"), customer("bob")
    FormerId.objects.create(id=900_000, external_id="old-bob", customer=bob)
    program.post("orders/", {key: value for key, value in PLACED.items() if key != "customer_external_id"})
    assert events() == []
    program.post("orders/", {"external_id": "shop-1", "customer": ada.pk})
    program.post("orders/", {"external_id": "shop-1", "customer_external_id": "old-bob"})
    assert events() == [(ada.pk, "order.placed", "10.00", "api"), (bob.pk, "order.placed", "10.00", "api")]
    assert set(Dirty.objects.values_list("customer_id", flat=True)) == {ada.pk, bob.pk}


def test_less_than_nothing_is_a_credit_note(program: Program) -> None:
    customer("ada")
    note = PLACED | {"amount": "-5", "lines": []}
    assert program.post("orders/", note).json()["state"] == "cancelled"
    assert program.post("orders/", {"external_id": "shop-1", "amount": "5"}).json()["state"] == "completed"


def test_one_taken_back_and_told_again_is_another(program: Program) -> None:
    customer("ada")
    program.post("orders/", PLACED)
    Order.objects.all().delete()
    program.post("orders/", PLACED)
    assert len(events()) == 2


def test_what_cannot_be_is_refused_by_its_place(program: Program) -> None:
    customer("ada")
    assert set(places(program.post("orders/", {"external_id": "x"}))) == {"#/ordered_at", "#/amount"}
    ahead = PLACED | {"ordered_at": clock.now().replace(year=clock.now().year + 1, day=1).isoformat()}
    assert set(places(program.post("orders/", ahead))) == {"#/ordered_at"}
    assert set(places(program.post("orders/", PLACED | {"customer_external_id": "x"}))) == {"#/customer_external_id"}
    assert set(places(program.post("orders/", PLACED | {"customer": 1}))) == {"#/customer"}
    assert set(places(program.post("orders/", PLACED | {"currency": "euro"}))) == {"#/currency"}
    assert set(places(program.post("orders/", PLACED | {"currency": "ZZZ"}))) == {"#/currency"}
    much = [{"unit_price": "99999999999999", "quantity": "99"}]
    assert set(places(program.post("orders/", PLACED | {"lines": much}))) == {"#/amount"}
    assert not Order.objects.exists()
