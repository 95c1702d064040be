"""One customer's page: who they are, what they bought, what happened; at a fixed cost, however much that is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.events.kinds import CATALOGUE
from customers.events.recording import Happening, record
from customers.models import Customer, Event, Order, OrderLine, Segment, SegmentMembership, Subscription
from customers.records import consent, timeline
from customers.work.tasks import open_task
from retention.common import clock
from retention.workspace.templatetags import shell
from tests.baseline import assert_query_count
from tests.customers.known import customer
from tests.customers.subscribing import subscription

SignIn = Callable[[str], Client]


def happen(customer: Customer, kind: str, payload: dict[str, Any]) -> None:
    record([Happening(customer.pk, kind, clock.now(), payload=payload)])


def buy(by: Customer, number: int, lines: int = 2) -> None:
    order = Order.objects.create(
        external_id=f"{by.pk}-{number}", customer=by, ordered_at=clock.now(), amount=Decimal(30), currency="GBP"
    )
    OrderLine.objects.bulk_create(
        OrderLine(order=order, position=n, description=f"Thing {n}", quantity=Decimal("1.5"), unit_price=10)
        for n in range(lines)
    )


def sentences(client: Client, pk: int, query: str = "") -> list[str]:
    page = client.get(f"/customers/{pk}/timeline/?{query}").content.decode()
    return [
        " ".join(re.sub("<[^>]+>", "", line).split())
        for line in re.findall(r'<span class="grow">(.*?)</span>', page, re.DOTALL)
    ]


def fill(ada: Customer, times: int) -> None:
    now = clock.now()
    for n in range(times):
        buy(ada, n)
        open_task(ada.pk, f"Call {n}", "", now, None, f"test:{n}")
        segment = Segment.objects.create(name=f"Segment {n}", rule={})
        stay = SegmentMembership.objects.create(segment=segment, customer=ada, entered_at=now)
        happen(ada, "segment.entered", {"segment": segment.pk, "membership": stay.pk})
        subscription(ada, now, plan=f"Plan {n}")


def test_it_works(signed_in: SignIn) -> None:
    ada = customer(
        "ada",
        name="Ada Lovelace",
        email="ada@example.test",
        attributes={"seat_count": 4},
        facts={"revenue": Decimal(60), "orders": 2, "stage": "at_risk", "nps_score": 0, "mrr": 9},
    )
    fill(ada, 2)
    consent.grant(ada.pk, "email", "sign-up form", "", clock.now())
    page = signed_in("analyst").get(f"/customers/{ada.pk}/").content.decode()
    for words in (
        "Ada Lovelace",
        "At risk",
        "60.00 EUR",
        "2 orders",
        "0 of 10",
        "Agreed",
        "sign-up form",
        "Call 1",
        f'hx-get="/customers/{ada.pk}/subscriptions/"',
        f'hx-get="/customers/{ada.pk}/orders/"',
        "Seat count",
        "mailto:ada@example.test",
        "Entered the segment Segment 0",
        f'hx-get="/segments/customer/{ada.pk}/"',
        f'hx-get="/campaigns/customer/{ada.pk}/"',
        f'hx-get="/surveys/customer/{ada.pk}/"',
    ):
        assert words in page, words


def test_mrr_in_another_currency_is_told_and_in_no_sum(signed_in: SignIn) -> None:
    now = clock.now()
    ada = customer("ada", facts={"subscribed_at": now - timedelta(days=9)})
    bob = customer("bob", facts={"subscribed_at": now - timedelta(days=9), "mrr": 10})
    for who, currency in ((ada, "USD"), (ada, "GBP"), (bob, "EUR"), (bob, "USD")):
        subscription(who, now - timedelta(days=9), currency=currency)
    subscription(ada, now - timedelta(days=9), now - timedelta(days=1), currency="SEK")
    client = signed_in("analyst")
    of_ada, of_bob = (client.get(f"/customers/{who.pk}/").content.decode() for who in (ada, bob))
    assert "10.00 GBP and 10.00 USD a month in another currency, not in figures in EUR" in of_ada
    assert "10.00 USD a month more in another currency" in of_bob
    listed = client.get("/customers/").content.decode()
    assert listed.count("which is not part of figures in EUR") == 1
    assert ">in GBP, USD</span>" in listed


def test_names_that_files_brought_read_as_words() -> None:
    said = ["seat_count", "StreamingTV", "SeniorCitizen", "customerID", "MONTHLY_CHARGES", "plan"]
    expected = ["Seat count", "Streaming TV", "Senior citizen", "Customer ID", "Monthly charges", "Plan"]
    assert [shell.words(name) for name in said] == expected


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_latest_orders_are_a_part_of_the_page_or_a_page(signed_in: SignIn, headers: dict[str, str]) -> None:
    ada = customer("ada")
    client = signed_in("analyst")
    assert "None yet." in client.get(f"/customers/{ada.pk}/orders/", headers=headers).content.decode()
    fill(ada, 2)
    page = client.get(f"/customers/{ada.pk}/orders/", headers=headers).content.decode()
    assert ("30.00 GBP" in page, "Thing 1" in page, "<html" in page) == (True, True, not headers)
    assert_query_count("orders of a customer", client, f"/customers/{ada.pk}/orders/")


def test_a_customer_without_anything_has_a_page(signed_in: SignIn) -> None:
    bare = Customer.objects.create(external_id="bare")
    page = signed_in("analyst").get(f"/customers/{bare.pk}/").content.decode()
    assert "Never asked" in page
    assert "Nothing has happened yet" in page


def test_nobody_is_not_found(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    assert client.get("/customers/1/").status_code == 404


def test_the_number_of_queries_is_fixed(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    ada = customer("ada")
    fill(ada, 1)
    assert_query_count("customer page", client, f"/customers/{ada.pk}/")
    bob = customer("bob")
    Segment.objects.all().delete()
    Subscription.objects.all().delete()
    fill(bob, 9)
    assert_query_count("customer page", client, f"/customers/{bob.pk}/")


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        (
            "order.placed",
            {"external_id": "A1", "amount": "1234.5", "currency": "GBP"},
            "Placed order A1 of 1,234.50 GBP",
        ),
        ("order.placed", {}, "Placed an order"),
        ("order.cancelled", {"external_id": "A1", "amount": "nonsense"}, "Cancelled order A1 of nonsense"),
        ("stage.changed", {"from": "loyal", "to": "at_risk"}, "Moved from loyal to at risk"),
        ("segment.entered", {"segment": 987_654}, "Entered a segment"),
        ("task.closed", {"title": "Call {them}"}, "Task closed: Call {them}"),
        ("survey.answered", {"score": 9}, "Answered a survey with 9 out of 10"),
        ("message.opened", {"name": "Spring", "machine": True}, "Opened a message of Spring"),
    ],
)
def test_an_event_is_told_in_a_sentence(kind: str, payload: dict[str, Any], sentence: str, signed_in: SignIn) -> None:
    ada = customer("ada")
    happen(ada, kind, payload)
    (told,) = sentences(signed_in("analyst"), ada.pk)
    assert told.startswith(sentence)


def test_every_kind_has_a_group_and_a_label() -> None:
    assert {timeline.group_of(kind) for kind in CATALOGUE} <= set(timeline.GROUPS)
    assert all(kind.label for kind in CATALOGUE.values())


def test_the_timeline_is_narrowed_down(signed_in: SignIn) -> None:
    ada = customer("ada")
    happen(ada, "task.opened", {"title": "Call"})
    happen(ada, "order.placed", {})
    happen(ada, "survey.answered", {"score": 3})
    client = signed_in("analyst")
    assert len(sentences(client, ada.pk)) == 3
    assert sentences(client, ada.pk, "show=Orders") == ["Placed an order"]
    assert len(sentences(client, ada.pk, "show=Orders&show=Surveys&show=Nonsense")) == 2
    page = client.get(f"/customers/{ada.pk}/?show=Tasks").content.decode()
    assert 'value="Tasks" checked' in page
    assert "Placed an order" not in page


def test_no_two_parts_of_the_whole_page_have_one_id(signed_in: SignIn) -> None:
    """What is swapped is found by its id: a form took the place of its card's heading, which was called the same."""
    ada, client = customer("ada"), signed_in("account_manager")
    page = client.get(f"/customers/{ada.pk}/").content.decode()
    panels = re.findall(r'hx-get="([^"]+)" hx-trigger="load"', page)
    assert f"/loyalty/customer/{ada.pk}/" in panels
    parts = [client.get(panel, headers={"HX-Request": "true"}).content.decode() for panel in panels]
    ids = re.findall(r'\sid="([^"]+)"', " ".join([page, *parts]))
    assert [each for each in ids if ids.count(each) > 1] == []


def test_scrolling_tells_everything_once(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "SIZE", 7)
    ada = customer("ada")
    at = clock.now()
    titles = [f"T{n:02}" for n in range(23)]
    record(
        Happening(ada.pk, "task.opened", at - timedelta(hours=n // 3), payload={"title": title})
        for n, title in enumerate(titles)
    )
    client = signed_in("analyst")
    url, seen = f"/customers/{ada.pk}/timeline/", []
    while url:
        page = client.get(url).content.decode()
        seen += re.findall(r"Task opened: (T\d\d)", page)
        more = re.search(r'hx-get="([^"]+after=[^"]+)"', page)
        url = more[1].replace("&amp;", "&") if more else ""
    assert sorted(seen) == titles


def test_uses_that_follow_each_other_are_one_line(signed_in: SignIn) -> None:
    ada = customer("ada")
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    record(Happening(ada.pk, "usage", noon + timedelta(minutes=n)) for n in range(5))
    record([Happening(ada.pk, "usage", noon - timedelta(days=1))])
    client = signed_in("analyst")
    assert sentences(client, ada.pk) == ["Used the product, 6 times since 3 Mar 2026"]
    assert sentences(client, ada.pk, "show=Usage") == ["Used the product, 5 times", "Used the product"]
    record([Happening(ada.pk, "order.placed", noon - timedelta(hours=1))])
    assert sentences(client, ada.pk) == ["Used the product, 5 times", "Placed an order", "Used the product"]


def test_what_customers_typed_stays_text(signed_in: SignIn) -> None:
    ada = customer("ada", name="<img src=x onerror=alert(1)>", attributes={"<b>": "<i>"})
    happen(ada, "task.opened", {"title": "<script>alert(1)</script>"})
    page = signed_in("analyst").get(f"/customers/{ada.pk}/").content.decode()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "<i>" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("shown", [["Orders"], ["Usage"], ["Orders", "Usage"], ["Cases"]])
def test_some_kinds_of_very_many_events_are_told_whole_and_in_order(shown: list[str]) -> None:
    """Those of which all are read, those for which the timeline is walked, and none; some at one instant."""
    ada, other = customer(), customer("c2")
    mostly, start = timeline.FEW // 10, clock.now()
    Event.objects.bulk_create(
        Event(customer=by, kind="usage" if n % 11 else "order.placed", occurred_at=start - timedelta(hours=n // 3))
        for by, most in ((ada, 11 * mostly), (other, 30))
        for n in range(most)
    )
    kinds = timeline.kinds_of(shown)
    expected = list(ada.events.filter(kind__in=kinds).order_by("-occurred_at", "-pk").values_list("pk", flat=True))
    told, mark = [], None
    while found := timeline._latest(ada.pk, kinds, mark):
        told += [event.pk for event in found]
        mark = (found[-1].occurred_at, found[-1].pk)
    assert told == expected
