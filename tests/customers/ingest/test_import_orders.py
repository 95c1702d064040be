"""Importing orders and order lines."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from customers.facts.folding import fold
from customers.ingest import staging
from customers.models import Customer, CustomerFacts, Dirty, Event, Order, OrderLine
from retention.common import clock
from tests.customers.ingest.bringing import (
    CUSTOMERS,
    LINES,
    ORDERS,
    again,
    bring,
    done,
    failed,
    mapping,
    refusals,
    versions,
)

pytestmark = pytest.mark.django_db

ORDER_HEADER = "order_id,customer_id,ordered_at,amount,currency,email\n"
HEADER = "order_id,customer_id,ordered_at,sku,quantity,unit_price\n"
TWO_LINES = "A1,7,2024-05-01 10:00,apple,2,1.50\nA1,7,2024-05-01 10:00,pear,1,2.00\n"


def events(**filters: Any) -> list[tuple[str, datetime, dict[str, str]]]:
    found = Event.objects.filter(**filters).order_by("id")
    return list(found.values_list("kind", "occurred_at", "payload"))


def test_it_works() -> None:
    text = (
        ORDER_HEADER + "A1,7,2024-05-01 10:00,12.30,GBP,ann@example.test\nA2,7,2024-04-01,5,,\nA3,,2024-06-01,1.125,,\n"
    )
    summary = done(mapping(ORDERS), text)
    assert summary["orders"] == {"named": 3, "created": 3, "updated": 0, "unchanged": 0, "removed": 0}
    assert summary["customers"]["created"] == 1
    ann = Customer.objects.get()
    assert (ann.external_id, ann.email, ann.joined_at) == ("7", "ann@example.test", datetime(2024, 4, 1, tzinfo=UTC))
    assert list(Order.objects.order_by("external_id").values_list("customer", "amount", "currency", "state")) == [
        (ann.pk, Decimal("12.3"), "GBP", "completed"),
        (ann.pk, Decimal(5), "EUR", "completed"),
        (None, Decimal("1.125"), "EUR", "completed"),
    ]
    assert events() == [
        ("customer.created", datetime(2024, 4, 1, tzinfo=UTC), {}),
        (
            "order.placed",
            datetime(2024, 4, 1, tzinfo=UTC),
            {"amount": "5.00", "currency": "EUR", "external_id": "A2"},
        ),
        (
            "order.placed",
            datetime(2024, 5, 1, 10, tzinfo=UTC),
            {"amount": "12.30", "currency": "GBP", "external_id": "A1"},
        ),
    ]
    placed = Event.objects.filter(kind="order.placed").last()
    assert placed is not None
    assert (placed.ref, placed.dedup_key) == (f"order:{Order.objects.get(external_id='A1').pk}", "order:A1")


def test_lines_make_an_order() -> None:
    summary = done(mapping(LINES), HEADER + TWO_LINES + "A2,8,2024-05-02,apple,,3\n")
    assert summary["lines"] == {"named": 3, "created": 3, "updated": 0, "unchanged": 0, "removed": 0}
    assert summary["amounts"] == {"EUR": "8.0000"}
    assert list(Order.objects.order_by("external_id").values_list("external_id", "amount")) == [
        ("A1", Decimal(5)),
        ("A2", Decimal(3)),
    ]
    assert list(OrderLine.objects.values_list("order__external_id", "position", "sku", "quantity", "unit_price")) == [
        ("A1", 1, "apple", Decimal(2), Decimal("1.5")),
        ("A1", 2, "pear", Decimal(1), Decimal(2)),
        ("A2", 1, "apple", Decimal(1), Decimal(3)),
    ]


def test_the_same_file_twice_changes_nothing() -> None:
    text = HEADER + TWO_LINES + TWO_LINES + "CA2,7,2024-05-02,apple,-2,1.50\nA3,,2024-05-02,apple,1,1\n"
    _, taken = bring(mapping(LINES), text)
    before = versions()
    summary = again(taken).summary
    assert [summary[what]["unchanged"] for what in ("customers", "orders", "lines")] == [1, 3, 6]
    assert versions() == before


def test_rows_that_repeat_are_lines_of_their_own() -> None:
    done(mapping(LINES), HEADER + TWO_LINES + TWO_LINES)
    assert list(OrderLine.objects.values_list("position", "sku")) == [
        (1, "apple"),
        (2, "pear"),
        (3, "apple"),
        (4, "pear"),
    ]
    assert Order.objects.get().amount == 10


def test_lines_stand_as_in_the_file_also_where_other_orders_are_between() -> None:
    one = "A1,7,2024-05-01,{},1,1\n"
    whole = "A2,8,2024-05-01,kiwi,1,1\nA2,8,2024-05-01,date,1,1\n"
    first = HEADER + one.format("pear") + whole + one.format("apple") + one.format("lime")
    lines = OrderLine.objects.order_by("order__external_id", "position").values_list("position", "sku")
    for text, created, updated, second in (
        (first, 5, 0, "apple"),
        (first, 0, 0, "apple"),
        (first.replace("apple", "plum"), 0, 1, "plum"),
    ):
        told = done(mapping(LINES), text)["lines"]
        assert (told["created"], told["updated"], told["removed"]) == (created, updated, 0)
        assert list(lines.all()) == [(1, "pear"), (2, second), (3, "lime"), (1, "kiwi"), (2, "date")]


def test_a_file_brings_all_lines_of_its_orders() -> None:
    done(mapping(LINES), HEADER + TWO_LINES + "A2,8,2024-05-02,fig,1,4\n")
    Dirty.objects.all().delete()
    summary = done(mapping(LINES), HEADER + "A1,7,2024-05-01 10:00,apple,3,1.50\n")
    assert summary["lines"] == {"named": 1, "created": 0, "updated": 1, "unchanged": 0, "removed": 1}
    assert list(OrderLine.objects.values_list("order__external_id", "sku", "quantity")) == [
        ("A1", "apple", Decimal(3)),
        ("A2", "fig", Decimal(1)),
    ]
    assert Order.objects.get(external_id="A1").amount == Decimal("4.5")
    assert list(Dirty.objects.values_list("customer__external_id", flat=True)) == ["7"]


def test_a_cancelled_order() -> None:
    done(mapping(LINES), HEADER + "C1,7,2024-05-01,apple,-2,1.50\n")
    assert list(Order.objects.values_list("state", "amount")) == [("cancelled", Decimal(-3))]
    assert [kind for kind, *_ in events()] == ["customer.created", "order.cancelled"]


def test_an_order_that_is_cancelled_later() -> None:
    fields = {name: {"column": name} for name in ("order_id", "customer_id", "ordered_at", "amount")}
    states = [
        {"state": "cancelled", "column": "status", "test": "is", "value": "voided"},
        {"state": "refunded", "column": "refunded_on", "test": "is not empty"},
    ]
    how = mapping({"kind": "orders", "fields": fields, "states": states})
    header = "order_id,customer_id,ordered_at,amount,status,refunded_on\n"
    done(how, header + "A1,7,2024-05-01,5,paid,\nA2,7,2024-05-02,6,paid,2024-05-09\n")
    assert list(Order.objects.order_by("id").values_list("state", flat=True)) == ["completed", "refunded"]
    done(how, header + "A1,7,2024-05-01,5,Voided,\n")
    assert Order.objects.get(external_id="A1").state == "cancelled"
    assert [kind for kind, *_ in events()] == ["customer.created", "order.placed", "order.placed", "order.cancelled"]
    # Without a rule for the state a file leaves it.
    done(mapping({"kind": "orders", "fields": fields}), header + "A1,7,2024-05-01,5,paid,\n")
    assert Order.objects.get(external_id="A1").state == "cancelled"


def test_an_order_whose_customer_is_told_later() -> None:
    done(mapping(ORDERS), ORDER_HEADER + "A1,,2024-05-01,5,,\n")
    assert events() == []
    done(mapping(ORDERS), ORDER_HEADER + "A1,7,2024-05-01,5,,\n")
    done(mapping(ORDERS), ORDER_HEADER + "A1,,2024-05-01,5,,\n")
    assert Order.objects.get().customer == Customer.objects.get(external_id="7")
    assert [(kind, at) for kind, at, _ in events(kind="order.placed")] == [
        ("order.placed", datetime(2024, 5, 1, tzinfo=UTC))
    ]


def test_an_orders_file_only_fills_what_is_empty_about_a_customer() -> None:
    done(mapping(CUSTOMERS), "customer_id,name,email,joined_at,tags,consent\n7,Ann,,2020-01-01,,\n")
    fields = ORDERS["fields"] | {"name": {"text": "Customer {customer_id}"}}
    done(mapping(ORDERS, fields=fields), ORDER_HEADER + "A1,7,2024-05-01,5,,ann@example.test\n")
    ann = Customer.objects.get()
    assert (ann.name, ann.email, ann.joined_at) == ("Ann", "ann@example.test", datetime(2020, 1, 1, tzinfo=UTC))


def test_an_order_comes_whole_or_not_at_all() -> None:
    text = HEADER + TWO_LINES + "A2,7,2024-05-02,apple,1,1\nA2,7,2024-05-02,pear,one,1\nA2,7,2024-05-02,fig,1,1\n"
    job, taken = bring(mapping(LINES), text)
    assert list(Order.objects.values_list("external_id", flat=True)) == ["A1"]
    assert [(line, reason) for line, reason, _ in refusals(taken)] == [
        (4, "Line 5 of the same order was refused, and an order comes whole."),
        (5, "Quantity: “one” is not a number written as 1234.50."),
        (6, "Line 5 of the same order was refused, and an order comes whole."),
    ]
    assert (job.summary["rows"], job.summary["rejected"]) == (5, 3)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("A2,7,2024-05-02,a,1,1\nA2,8,2024-05-02,b,1,1\n", "Order “A2” names two customers, “7” and “8”."),
        ("A2,7,,a,1,1\nA2,7,,b,1,1\n", "Order “A2” has no date in any of its lines."),
        ("A2,7,2024-05-02,a,99999999,99999999\nA2,,,b,1,1\n", "Order “A2” comes to more than can be kept."),
    ],
)
def test_lines_that_make_no_order(rows: str, reason: str) -> None:
    _, taken = bring(mapping(LINES), HEADER + TWO_LINES + rows)
    assert [why for _, why, _ in refusals(taken)] == [reason, reason]
    assert list(Order.objects.values_list("external_id", flat=True)) == ["A1"]


def test_what_an_orders_first_line_says_holds_for_the_others() -> None:
    done(mapping(LINES), HEADER + "A1,7,2024-05-01,apple,2,1.50\nA1,,,pear,1,2.00\n")
    order = Order.objects.get()
    assert (order.customer, order.amount) == (Customer.objects.get(), Decimal(5))


def test_orders_told_twice() -> None:
    row = "A1,7,2024-05-01,5,EUR,\n"
    _, taken = bring(mapping(ORDERS), ORDER_HEADER + row + row + row.replace(",5,", ",6,"))
    assert Order.objects.get().amount == 5
    assert [(line, reason) for line, reason, _ in refusals(taken)] == [
        (4, "Order “A1” is already in line 2, which says otherwise; that line stands.")
    ]


def test_long_ids_are_told_apart() -> None:
    one, two = "x" * 150 + "1", "x" * 150 + "2"
    done(mapping(ORDERS), ORDER_HEADER + f"{one},7,2024-05-01,5,,\n{two},7,2024-05-01,5,,\n")
    assert Event.objects.filter(kind="order.placed").count() == 2


def test_an_order_of_the_future_is_refused() -> None:
    now = clock.now()
    soon, later = now + timedelta(hours=20), now + timedelta(hours=30)
    text = f"{ORDER_HEADER}A1,7,{soon.isoformat()},5,,\nA2,7,{later.isoformat()},5,,\nA3,7,2299-01-01,5,,\n"
    job, taken = bring(mapping(ORDERS), text)
    assert list(Order.objects.values_list("external_id", flat=True)) == ["A1"]
    assert [(line, reason) for line, reason, _ in refusals(taken)] == [
        (3, f"Ordered at: “{later.isoformat()}” lies in the future."),
        (4, "Ordered at: “2299-01-01” is not a date written as 2011-12-31."),
    ]
    assert job.summary["rejected"] == 2


def test_a_credit_note_is_no_order() -> None:
    rows = "A1,7,2024-05-01,20,,\nA2,7,2024-05-02,-5,,\nA3,,2024-05-02,-5,,\nA4,7,2024-05-03,0,,\n"
    summary = done(mapping(ORDERS), ORDER_HEADER + rows)
    assert summary["credit_notes"] == 1
    states = dict(Order.objects.values_list("external_id", "state"))
    assert states == {"A1": "completed", "A2": "cancelled", "A3": "completed", "A4": "completed"}
    ann = Customer.objects.get()
    fold([ann.pk])
    facts = CustomerFacts.objects.get(customer=ann)
    assert (facts.orders, facts.revenue) == (2, Decimal(20))
    done(mapping(ORDERS), ORDER_HEADER + rows.replace("-5", "5"))
    assert set(Order.objects.values_list("state", flat=True)) == {"completed"}


def test_lines_that_come_to_less_than_nothing_are_a_credit_note() -> None:
    rows = "A1,7,2024-05-01,apple,2,3\nA1,7,2024-05-01,discount,1,-1\nA2,7,2024-05-01,apple,-2,3\n"
    assert done(mapping(LINES), HEADER + rows)["credit_notes"] == 1
    assert dict(Order.objects.values_list("external_id", "state")) == {"A1": "completed", "A2": "cancelled"}


def test_the_rows_add_up() -> None:
    rows = "A1,7,2024-05-01,20,,\nA1,7,2024-05-01,20,,\nA2,7,2024-05-02,x,,\nA3,7,2024-05-02,1,,\n"
    summary = done(mapping(ORDERS), ORDER_HEADER + rows)
    assert [summary[name] for name in ("rows", "taken", "repeated", "rejected")] == [4, 2, 1, 1]
    summary = done(mapping(LINES), HEADER + TWO_LINES + TWO_LINES)
    assert [summary[name] for name in ("rows", "taken", "repeated", "rejected")] == [4, 4, 0, 0]
    summary = done(mapping(CUSTOMERS), "customer_id,name,email,joined_at,tags,consent\n1,Ann,,,,\n1,Ann,,,,\n")
    assert [summary[name] for name in ("rows", "taken", "repeated", "rejected")] == [2, 1, 1, 0]


def test_what_no_part_of_the_mapping_reads_is_named() -> None:
    text = "order_id,customer_id,ordered_at,amount,currency,email,status,note\nA1,7,2024-05-01,20,,,cancelled,x\n"
    assert done(mapping(ORDERS), text)["unused"] == ["status", "note"]
    states = [{"state": "cancelled", "column": "status", "test": "is", "value": "Cancelled"}]
    assert done(mapping(ORDERS, states=states), text)["unused"] == ["note"]
    assert Order.objects.get().state == "cancelled"


def test_what_lines_repeat_is_judged_as_if_each_stood_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one block what they repeat is said once; in blocks of one record each says it all."""
    head = "order_id,customer_id,ordered_at,sku,quantity,unit_price\n"
    good, bad = "A1,1,2024-05-01", "A2,1,1 May"
    rows = [f"{good},x,1,2", f"{good},y,z,2", "A1,1", f"{good},,3,4", f"{bad},x,1,2", f"{bad},y,z,2"]
    rows += [
        "C3,,2024-05-02,x,1,",
        "C3,,2024-05-02,x,1,9",
        f"{good},x,1,2",
        "A4,2,,x,1,2",
        "A4,2,2024-05-03,x,1,2",
        ",2,2024-05-03,x,1,2",
    ]
    text = head + "\n".join(rows) + "\n" + "\n".join(f"A{line},7,2024-05-05,x,1,2" for line in (8, 8, 8, 9))
    found = []
    for size in (1, 50, 1 << 20):
        monkeypatch.setattr(staging, "BLOCK", size)
        Order.objects.all().delete()
        job, taken = bring(mapping(LINES), text)
        lines = OrderLine.objects.order_by("order__external_id", "position")
        stand = list(lines.values_list("order__external_id", "order__state", "position", "sku", "quantity"))
        found.append((job.summary["rows"], refusals(taken), stand))
    assert found[0] == found[1] == found[2]
    assert (found[0][0], len(found[0][1]), len(found[0][2])) == (16, 10, 6)


def test_a_fixed_text_that_is_no_number_refuses_its_rows() -> None:
    """PostgreSQL would read it while it plans, and stop."""
    how = mapping(ORDERS, fields=ORDERS["fields"] | {"amount": {"text": "1.2.3"}})
    said = failed(how, "order_id,customer_id,ordered_at,currency,email\nA1,,2024-05-01,EUR,\n")
    assert said.startswith("None of the 1 rows can be used.")
