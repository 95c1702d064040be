"""What a file may do to what is there, and whom its rows are about."""

from typing import Any

import pytest

from customers.ingest import policies
from customers.models import Case, Customer, CustomField, FormerId, Order, OrderLine, Product, Subscription
from tests.customers.ingest.bringing import CUSTOMERS, LINES, ORDERS, bring, done, failed, mapping, refusals
from tests.customers.ingest.test_undo import (
    _INTERACTIONS,
    _TASKS,
    CASES,
    CONTACTS,
    INTERACTIONS,
    PRODUCTS,
    SUBSCRIPTIONS,
    TASKS,
)

pytestmark = pytest.mark.django_db

HEADER = "customer_id,name,email,joined_at,tags,consent\n"
THERE = HEADER + "1,Ann,,2024-05-01,vip,\n"
FILE = HEADER + "1,Anna,ann@example.test,2020-01-01,,\n2,Ben,,,,\n"


def names() -> dict[str, tuple[str, str]]:
    return {key: (name, email) for key, name, email in Customer.objects.values_list("external_id", "name", "email")}


@pytest.mark.parametrize(
    ("policy", "after", "left_out"),
    [
        ("both", {"1": ("Anna", "ann@example.test"), "2": ("Ben", "")}, 0),
        ("create", {"1": ("Ann", ""), "2": ("Ben", "")}, 1),
        ("update", {"1": ("Anna", "ann@example.test")}, 1),
        ("fill", {"1": ("Ann", "ann@example.test")}, 1),
    ],
)
def test_it_works(policy: str, after: dict[str, tuple[str, str]], left_out: int) -> None:
    done(mapping(CUSTOMERS), THERE)
    summary = done(mapping(CUSTOMERS, policy=policy), FILE)
    assert (names(), summary["left_out"]) == (after, left_out)
    assert summary["rows"] == summary["taken"] + summary["repeated"] + summary["left_out"] + summary["rejected"]
    assert Customer.objects.get(external_id="1").tags == ["vip"]


def test_a_fill_that_overwrites_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, a name that stands is lost."""
    done(mapping(CUSTOMERS), THERE)
    monkeypatch.setattr(policies, "_spare", lambda *_: None)
    done(mapping(CUSTOMERS, policy="fill"), FILE)
    assert names()["1"] == ("Anna", "ann@example.test")


#: A kind, what is there, and a file that says otherwise of it, fills something, and has something new.
OTHERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "orders": (
        ORDERS,
        "order_id,customer_id,ordered_at,amount,currency,email\nA1,,2024-05-01,5,EUR,\n",
        "order_id,customer_id,ordered_at,amount,currency,email\nA1,0,2024-05-02,6,EUR,\nA2,0,2024-05-02,6,EUR,\n",
    ),
    "order_lines": (
        LINES,
        "order_id,customer_id,ordered_at,sku,quantity,unit_price\nA1,0,2024-05-01,x,1,2\n",
        "order_id,customer_id,ordered_at,sku,quantity,unit_price\nA1,0,2024-05-01,y,1,3\nA2,0,2024-05-01,x,1,2\n",
    ),
    "subscriptions": (
        SUBSCRIPTIONS,
        "subscription_id,customer_id,plan,amount,started_at,ended_at\nS1,0,Pro,10,2024-01-01,\n",
        "subscription_id,customer_id,plan,amount,started_at,ended_at\nS1,0,Max,20,2024-01-01,\nS2,0,Pro,1,2024-01-01,\n",
    ),
    "products": (
        PRODUCTS,
        "sku,name,category,price,upgrades_to,goes_with\nA,Tea,,2,,\n",
        "sku,name,category,price,upgrades_to,goes_with\nA,Chai,Drinks,3,,\nB,Pot,,,,\n",
    ),
    "cases": (
        CASES,
        "case_id,customer_id,subject,opened_at,rating,resolved\nT1,0,Help,2024-01-01,,\n",
        "case_id,customer_id,subject,opened_at,rating,resolved\nT1,0,Oh,2024-01-03,4,\nT2,0,Ah,2024-01-01,,\n",
    ),
    "interactions": (
        INTERACTIONS,
        _INTERACTIONS + "I1,0,call,2024-01-01,Rang,Fine,,\n",
        _INTERACTIONS + "I1,0,note,2024-02-01,Noted,Well,Write,\nI2,0,chat,2024-01-01,Hi,,,\n",
    ),
    "tasks": (
        TASKS,
        _TASKS + "T1,0,Call,,2024-01-01,,\n",
        _TASKS + "T1,0,Ring,Late,2024-01-03,done,2024-01-02\nT2,0,Meet,,,,\n",
    ),
    "contacts": (
        CONTACTS,
        "customer_id,contact_email,contact_name,main,consent,role\n0,a@x.test,Al,,,\n",
        "customer_id,contact_email,contact_name,main,consent,role\n0,A@x.test,Bo,,,CEO\n0,b@x.test,Cy,,,\n",
    ),
}


def told(kind: str) -> list[tuple[Any, ...]]:
    """What stands on the records of a kind, in short."""
    corp = Customer.objects.get(external_id="0")
    match kind:
        case "orders":
            return list(Order.objects.order_by("id").values_list("external_id", "amount", "customer__external_id"))
        case "order_lines":
            return list(OrderLine.objects.order_by("id").values_list("order__external_id", "sku"))
        case "subscriptions":
            return list(Subscription.objects.order_by("id").values_list("external_id", "terms__plan"))
        case "products":
            return list(Product.objects.order_by("id").values_list("sku", "name", "category"))
        case "cases":
            return list(Case.objects.order_by("id").values_list("external_id", "subject", "rating"))
        case "interactions":
            names = ("external_id", "kind", "text", "outcome", "next_step", "next_on__day")
            return list(corp.interactions.order_by("id").values_list(*names))
        case "tasks":
            return list(corp.tasks.order_by("id").values_list("external_id", "title", "reason", "state"))
    return list(corp.contacts.order_by("id").values_list("email", "name", "role"))


@pytest.mark.parametrize(
    ("kind", "created", "filled"),
    [
        ("orders", [("A1", 5, None), ("A2", 6, "0")], [("A1", 5, "0")]),
        ("order_lines", [("A1", "x"), ("A2", "x")], [("A1", "x")]),
        ("subscriptions", [("S1", "Pro"), ("S2", "Pro")], [("S1", "Pro")]),
        ("products", [("A", "Tea", ""), ("B", "Pot", "")], [("A", "Tea", "Drinks")]),
        ("cases", [("T1", "Help", None), ("T2", "Ah", None)], [("T1", "Help", 4)]),
        (
            "interactions",
            [("I1", "call", "Rang", "Fine", "", None), ("I2", "chat", "Hi", "", "", None)],
            [("I1", "call", "Rang", "Fine", "Write", 8)],
        ),
        ("tasks", [("T1", "Call", "", "open"), ("T2", "Meet", "", "open")], [("T1", "Call", "Late", "open")]),
        ("contacts", [("a@x.test", "Al", ""), ("b@x.test", "Cy", "")], [("a@x.test", "Al", "CEO")]),
    ],
)
def test_policies_hold_for_every_kind(kind: str, created: list[Any], filled: list[Any]) -> None:
    how, there, file = OTHERS[kind]
    Customer.objects.create(external_id="0", name="Corp")
    done(mapping(how), there)
    before = told(kind)
    job, _ = bring(mapping(how, policy="fill"), file, dry_run=True)
    assert told(kind) == before
    done(mapping(how, policy="fill"), file)
    assert told(kind) == filled
    done(mapping(how, policy="create"), file)
    assert told(kind) == [*filled, *created[1:]]
    summary = done(mapping(how, policy="update"), file)
    assert told(kind) != [*filled, *created[1:]]
    assert len(told(kind)) >= len(created)
    assert (job.summary["left_out"], summary["left_out"]) == (2 if kind == "order_lines" else 1, 0)


def test_an_empty_cell_empties_only_where_somebody_says_so() -> None:
    CustomField.objects.create(key="size", label="Size", type="text")
    how = CUSTOMERS | {"fields": CUSTOMERS["fields"] | {"custom_size": {"column": "size"}}}
    header = "customer_id,name,email,joined_at,tags,consent,size\n"
    done(mapping(how), header + "1,Ann,ann@example.test,2024-05-01,vip,,L\n")
    done(mapping(how), header + "1,,,,,,\n")
    ann = Customer.objects.get()
    assert (ann.name, ann.tags, ann.attributes) == ("Ann", ["vip"], {"size": "L"})
    done(mapping(how, empties=True), header + "1,,,,,,\n")
    ann.refresh_from_db()
    assert (ann.name, ann.email, ann.joined_at, ann.tags, ann.attributes) == ("", "", None, [], {})


MATCHED = HEADER + "9, Anna , ANN@Example.test ,,,\n,Ben,ben@example.test,,,\n,Cid,two@example.test,,,\n7,Dan,,,,\n"


def test_rows_are_matched_by_address_and_never_guessed() -> None:
    for key, email in (("1", "ann@example.test"), ("2", "two@example.test"), ("3", "Two@example.test")):
        Customer.objects.create(external_id=key, name=key, email=email)
    job, taken = bring(mapping(CUSTOMERS, match="email"), MATCHED)
    assert job.state == "done", job.error
    found = names()
    assert found.pop("1") == ("Anna", "ANN@Example.test")
    assert [reason for _, reason, _ in refusals(taken)] == [
        "E-mail: several customers have “two@example.test”, 2 and 3. Which is meant is not guessed.",
        "E-mail: there is none, and it tells customers apart here.",
    ]
    (own,) = set(found) - {"2", "3"}
    assert own.startswith("own-")
    assert done(mapping(CUSTOMERS, match="email"), MATCHED)["customers"]["created"] == 0


def test_rows_are_matched_by_number_and_by_a_custom_field() -> None:
    CustomField.objects.create(key="vat", label="VAT number", type="text")
    Customer.objects.create(external_id="1", phone="+44 20 7946 0000", attributes={"vat": "GB1"})
    fields = {"phone": {"column": "phone"}, "name": {"column": "name"}, "custom_vat": {"column": "vat"}}
    how = {"kind": "customers", "fields": fields}
    done(mapping(how, match="phone"), "phone,name,vat\n0044 (20) 7946-0000,Ann,GB1\n")
    done(mapping(how, match="custom_vat"), "phone,name,vat\n,Anna,GB1\n")
    assert Customer.objects.get().name == "Anna"


def test_an_id_that_somebody_else_has_is_refused() -> None:
    Customer.objects.create(external_id="9", email="x@example.test")
    assert "None of the 1 rows" in failed(mapping(CUSTOMERS, match="email"), HEADER + "9,Ann,ann@example.test,,,\n")
    assert Customer.objects.get().name == ""


def test_an_id_that_was_taken_into_another_customer_leads_there() -> None:
    stays = Customer.objects.create(external_id="1", name="Ann")
    FormerId.objects.create(pk=stays.pk + 1000, external_id="9", customer=stays)
    done(mapping(CUSTOMERS), HEADER + "9,Anna,,,,\n")
    assert names() == {"1": ("Anna", "")}


def test_orders_find_their_customers_by_address() -> None:
    Customer.objects.create(external_id="1", email="ann@example.test")
    fields = {name: {"column": name} for name in ("order_id", "ordered_at", "amount", "email")}
    file = "order_id,ordered_at,amount,email\nA1,2024-05-01,5,Ann@example.test\nA2,2024-05-01,5,\n"
    done(mapping({"kind": "orders", "fields": fields}, match="email"), file)
    assert list(Order.objects.order_by("id").values_list("customer__external_id", flat=True)) == ["1", None]


def test_a_match_that_the_kind_does_not_know_is_refused() -> None:
    assert "cannot be told apart by email" in failed(mapping(CONTACTS, match="email"), OTHERS["contacts"][1])
