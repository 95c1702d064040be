"""Files of subscriptions, products and cases: what they bring, what a second one changes, what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from customers.ingest.fields import FIELDS
from customers.ingest.guess import guess
from customers.ingest.mapping import Mapping, from_json
from customers.models import Case, Customer, CustomerFacts, Event, Product, Subscription, SubscriptionTerm
from customers.subscriptions.turning import turn_all
from tests.customers.ingest.bringing import bring, done, refusals
from tests.customers.router import route

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)
At = Callable[[datetime], None]


def columns_of(kind: str, head: str, **texts: str) -> Mapping:
    """Each column is the field of its name."""
    fields = {name: {"column": name} for name in head.split(",")} | {name: {"text": t} for name, t in texts.items()}
    return from_json({"kind": kind, "fields": fields})


def table(kind: str, text: str, **texts: str) -> tuple[Mapping, str]:
    return columns_of(kind, text.split("\n")[0].strip(), **texts), text


def versions() -> list[tuple[Any, ...]]:
    """Every row that these files write, with who wrote it last."""
    found: list[tuple[Any, ...]] = []
    tables = ("customer", "subscription", "subscriptionterm", "product", "product_goes_with", "case", "event", "dirty")
    with connection.cursor() as cursor:
        for name in tables:
            cursor.execute(f"SELECT id, ctid::text, xmin::text FROM customers_{name} ORDER BY id")
            found += [(name, *row) for row in cursor.fetchall()]
    return found


SUBSCRIPTIONS = """subscription_id,customer_id,plan,quantity,amount,interval,discount,\
started_at,ended_at,renews_at,auto_renews
s1,ada,Team,5,100,monthly,,2026-01-10,,2027-01-10,yes
s2,bob,House,,1200,year,10,2025-03-01,2026-03-01,,
s3,ada,Fixed,1,30,quarter,,2026-01-01,,2026-07-01,no
"""


def test_subscriptions_come_in_with_their_terms(at: At) -> None:
    at(NOW)
    summary = done(*table("subscriptions", SUBSCRIPTIONS))
    assert summary["subscriptions"] == {"named": 3, "created": 3, "updated": 0, "removed": 0, "unchanged": 0}
    assert summary["customers"]["created"] == 2
    found = {row.external_id: row.terms.get() for row in Subscription.objects.all()}
    assert {key: term.mrr for key, term in found.items()} == {"s1": 100, "s2": 90, "s3": 10}
    assert found["s3"].valid_to == datetime(2026, 7, 1, tzinfo=UTC), "what does not renew by itself ends"
    assert sorted(event.kind for event in Event.objects.filter(customer__external_id="bob")) == [
        "customer.created",
        "subscription.ended",
        "subscription.started",
    ]
    route()
    assert CustomerFacts.objects.get(customer__external_id="ada").mrr == 110
    at(NOW + timedelta(days=60))
    turn_all()
    assert Event.objects.filter(kind="subscription.ended").count() == 2


@pytest.mark.parametrize("kind", ["subscriptions", "products", "cases"])
def test_the_same_file_twice_changes_nothing(at: At, kind: str) -> None:
    at(NOW)
    text = {"subscriptions": SUBSCRIPTIONS, "products": PRODUCTS, "cases": CASES}[kind]
    done(*table(kind, text))
    before = versions()
    at(NOW + timedelta(days=1))
    summary = done(*table(kind, text))
    assert (summary[kind]["created"], summary[kind]["updated"]) == (0, 0)
    assert versions() == before


def test_an_amount_for_one_is_charged_for_each(at: At) -> None:
    at(NOW)
    text = """subscription_id,customer_id,plan,quantity,amount,unit_amount,started_at
s1,ada,Team,5,,20,2026-01-10
s2,ada,Team,,,20,2026-01-10
s3,ada,Team,5,90,20,2026-01-10
s4,ada,Team,5,,,2026-01-10
s5,ada,Team,999999,,9999999999,2026-01-10
"""
    job, taken = bring(*table("subscriptions", text))
    assert job.state == "done", job.error
    amounts = dict(SubscriptionTerm.objects.values_list("subscription__external_id", "amount"))
    assert amounts == {"s1": 100, "s2": 20, "s3": 90}
    assert [(line, reason.split()[-1]) for line, reason, _ in refusals(taken)] == [(5, "them."), (6, "kept.")]


def test_other_conditions_begin_a_term_and_keep_what_stood(at: At) -> None:
    at(NOW)
    done(*table("subscriptions", SUBSCRIPTIONS))
    at(NOW + timedelta(days=10))
    summary = done(*table("subscriptions", SUBSCRIPTIONS.replace("Team,5,100", "Team,8,160")))
    assert (summary["subscriptions"]["updated"], summary["subscriptions"]["unchanged"]) == (1, 2)
    terms = SubscriptionTerm.objects.filter(subscription__external_id="s1").order_by("valid_from")
    assert [(term.mrr, term.valid_to) for term in terms] == [(100, NOW + timedelta(days=10)), (160, None)]
    at(NOW + timedelta(days=20))
    ending = SUBSCRIPTIONS.replace("Team,5,100", "Team,8,160").replace("2026-01-10,,", "2026-01-10,2026-07-05,")
    assert done(*table("subscriptions", ending))["subscriptions"]["updated"] == 1
    row = Subscription.objects.get(external_id="s1")
    assert terms.last().valid_to == datetime(2026, 7, 5, tzinfo=UTC)  # type: ignore[union-attr]
    assert (row.renews_at, row.turns_at) == (None, datetime(2026, 7, 5, tzinfo=UTC))


def test_a_wrong_start_is_corrected_while_there_is_one_term(at: At) -> None:
    at(NOW)
    done(*table("subscriptions", SUBSCRIPTIONS))
    done(*table("subscriptions", SUBSCRIPTIONS.replace("2026-01-10,,", "2025-12-10,,")))
    assert SubscriptionTerm.objects.get(subscription__external_id="s1").valid_from == datetime(2025, 12, 10, tzinfo=UTC)


def test_rows_that_make_no_sense_are_refused_with_the_reason(at: At) -> None:
    at(NOW)
    text = """subscription_id,customer_id,plan,amount,interval,discount,started_at,ended_at,ended
good,ada,Team,1,month,,2026-01-01,,no
r1,ada,Team,1,month,,,,
r2,ada,Team,1,month,,2026-02-01,2026-01-01,
r3,ada,Team,-1,month,,2026-02-01,,
r4,ada,Team,1,fortnight,,2026-02-01,,
r5,ada,Team,1,month,101,2026-02-01,,
r6,ada,Team,1,month,,2026-02-01,,yes
r7,,Team,1,month,,2026-02-01,,
"""
    job, taken = bring(*table("subscriptions", text))
    assert job.summary["rejected"] == 7
    reasons = [reason for _, reason, _ in refusals(taken)]
    for part, reason in zip(
        ("neither a start", "before it starts", "below nothing", "week, month", "0 to 100", "says when", "Customer id"),
        reasons,
        strict=True,
    ):
        assert part in reason


PRODUCTS = """sku,name,category,price,margin_share,upgrades_to,goes_with
S,Small,Machine,100,40,"M",
M,Medium,Machine,200,45,"L, unknown","P; S"
L,Large,Machine,300.50,,,P
P,Paper,Supplies,,,,
"""


def test_products_come_in_with_what_they_go_with(at: At) -> None:
    at(NOW)
    assert done(*table("products", PRODUCTS))["products"]["created"] == 4
    medium = Product.objects.get(sku="M")
    assert (medium.price, medium.margin_share, medium.currency) == (Decimal(200), Decimal(45), "EUR")
    assert [row.sku for row in medium.upgrades_to.all()] == ["L"]
    assert sorted(row.sku for row in medium.goes_with.all()) == ["P", "S"]
    assert sorted(row.sku for row in Product.objects.get(sku="P").goes_with.all()) == ["L", "M"]
    changed = PRODUCTS.replace("200,45", "210,45").replace('"P; S"', "S").replace("Small,Machine", "Small,")
    assert done(*table("products", changed))["products"]["updated"] == 1
    assert [row.sku for row in medium.goes_with.all()] == ["S"]
    assert Product.objects.get(sku="S").category == "Machine", "an empty cell leaves what stands"
    assert Customer.objects.count() == 0


CASES = """case_id,customer_id,subject,opened_at,priority,answered_at,resolved_at,rating
c1,ada,Broken,2026-05-01T08:00:00Z,HIGH,2026-05-01T09:00:00Z,2026-05-02T10:00:00Z,2
c2,ada,Question,2026-05-10T08:00:00Z,,,,
"""


def test_cases_come_in_and_are_told(at: At) -> None:
    at(NOW)
    assert done(*table("cases", CASES))["cases"]["created"] == 2
    route()
    facts = CustomerFacts.objects.get()
    assert (facts.open_cases, facts.csat_score, facts.csat_at) == (1, 2, datetime(2026, 5, 2, 10, tzinfo=UTC))
    kinds = list(Event.objects.filter(kind__startswith="case.").order_by("occurred_at", "pk").values_list("kind"))
    assert [kind for (kind,) in kinds] == ["case.opened", "case.answered", "case.resolved", "case.rated", "case.opened"]
    closed = CASES.replace(
        "c2,ada,Question,2026-05-10T08:00:00Z,,,,", "c2,ada,Question,2026-05-10T08:00:00Z,,,2026-05-12,5"
    )
    assert done(*table("cases", closed))["cases"]["updated"] == 1
    route()
    facts.refresh_from_db()
    assert (facts.open_cases, facts.csat_score) == (0, 5)
    assert Case.objects.get(external_id="c2").priority == "normal"


@pytest.mark.parametrize(
    ("kind", "head", "row"),
    [
        ("subscriptions", "Subscription ID,Customer ID,Plan,Amount,Start Date", "s1,c1,Pro,10,2026-01-01"),
        ("products", "SKU,Title,Price", "A,Thing,2.50"),
        ("cases", "Ticket ID,Customer ID,Subject,Created at", "7,c1,Help,2026-01-01"),
    ],
)
def test_the_kind_is_guessed(tmp_path: Any, kind: str, head: str, row: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(f"{head}\n{row}\n")
    assert guess(path).kind == kind


def test_names_of_fields_are_columns_of_their_own() -> None:
    for kind, fields in FIELDS.items():
        assert len({field.name for field in fields}) == len(fields), kind


def test_amounts_keep_their_decimals(at: At) -> None:
    at(NOW)
    done(*table("subscriptions", "subscription_id,customer_id,plan,amount,started_at\ns,c,P,12.3456,2026-01-01\n"))
    assert SubscriptionTerm.objects.get().amount == Decimal("12.3456")
