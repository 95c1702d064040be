"""The list of customers: finding, filtering, ordering, paging, views, and that it costs the same at any size."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django import forms
from django.db import connection
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer, Segment, SegmentMembership
from customers.records import bulk, listing
from customers.records.filters import Filters, matching
from customers.records.listing import Cut, count, page
from customers.records.ordering import ORDERS, in_order
from retention.common import clock
from retention.workspace.models import SavedView, User
from tests.baseline import assert_query_count
from tests.customers.known import crowd, customer
from tests.customers.subscribing import subscription

SignIn = Callable[[str], Client]


def names(client: Client, query: str = "") -> list[str]:
    """The customers that the list shows, in its order."""
    return re.findall(
        r'<td class="main"><a href="[^"]+">([^<]+)</a>', client.get(f"/customers/?{query}").content.decode()
    )


def test_it_works(signed_in: SignIn) -> None:
    customer("b", name="Grace Hopper", email="grace@navy.example", facts={"stage": "loyal", "revenue": 1_234.5})
    customer("a", name="Ada Lovelace")
    client = signed_in("analyst")
    assert names(client) == ["Ada Lovelace", "Grace Hopper"]
    page = client.get("/customers/").content.decode()
    assert "grace@navy.example" in page
    assert "1,234.50 EUR" in page
    assert "2 customers" in page
    assert '<span class="stage stage-loyal">Loyal</span>' in page


def test_an_empty_list_says_what_to_do_first(signed_in: SignIn) -> None:
    assert "No customers yet" in signed_in("analyst").get("/customers/").content.decode()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("grace", True),
        ("HOPP", True),
        ("hop gra", True),
        ("navy", True),
        ("grace@navy", True),
        ("gh-07", True),
        ("+49 171", True),
        ("race", False),
        ("grace lovelace", False),
        ("%", False),
        ("' OR 1=1 --", False),
        ("grace & !hopper", True),
        (":*", False),
    ],
)
def test_words_are_found_by_their_beginnings(typed: str, found: bool, db: None) -> None:
    customer("GH-07", name="Grace Hopper", email="grace@navy.example", phone="+49 171 5550")
    assert matching(Filters(q=typed)).exists() is found


@given(typed=st.text(max_size=30))
@pytest.mark.django_db
def test_nothing_typed_breaks_the_search(typed: str) -> None:
    said = QueryDict(mutable=True)
    said["q"] = typed
    list(matching(Filters.read(said)))


def test_each_filter_narrows(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    me = User.objects.get(role="account_manager")
    segment = Segment.objects.create(name="Quiet", rule={})
    ada = customer("ada", owner=me, country="Malta", tags=["vip"], facts={"stage": "at_risk"})
    bob = customer("bob", country="Chad", facts={"stage": "lapsed"})
    customer("cyd", country="Chad")
    SegmentMembership.objects.create(segment=segment, customer=ada, entered_at=clock.now())
    SegmentMembership.objects.create(segment=segment, customer=bob, entered_at=clock.now(), left_at=clock.now())
    assert names(client, "stage=at_risk&stage=lapsed") == ["Ada", "Bob"]
    assert names(client, f"owner={me.pk}") == ["Ada"]
    assert names(client, "owner=none") == ["Bob", "Cyd"]
    assert names(client, f"segment={segment.pk}") == ["Ada"]
    assert names(client, "country=Chad") == ["Bob", "Cyd"]
    assert names(client, "tag=vip") == ["Ada"]
    assert names(client, "country=Chad&stage=lapsed&q=b") == ["Bob"]


def test_chips_take_one_filter_away_each(signed_in: SignIn) -> None:
    customer("ada", country="Malta", facts={"stage": "at_risk"})
    page = signed_in("analyst").get("/customers/?stage=at_risk&stage=lapsed&country=Malta").content.decode()
    chips = re.findall(r'class="chip" href="\?([^"]*)" aria-label="Remove the filter ([^"]+)"', page)
    assert {label: query for query, label in chips} == {
        "Stage: At risk": "stage=lapsed&amp;country=Malta",
        "Stage: Lapsed": "stage=at_risk&amp;country=Malta",
        "Country: Malta": "stage=at_risk&amp;stage=lapsed",
    }


def test_all_filters_are_cleared_and_the_order_stays(signed_in: SignIn) -> None:
    client, query = signed_in("analyst"), "stage=lost&country=Malta&sort=-mrr&size=25&column=team&q=a"
    assert (
        'chip-clear" href="?sort=-mrr&amp;size=25&amp;column=team"'
        in client.get(f"/customers/?{query}").content.decode()
    )
    contacts = client.get("/customers/people/?q=a&person=me&sort=-name&size=25").content.decode()
    assert 'chip-clear" href="?sort=-name&amp;size=25"' in contacts


@pytest.mark.parametrize("query", ["stage=nonsense&owner=x&segment=9999999999999999999&sort=x&size=7&after=x&before=!"])
def test_nonsense_in_the_address_is_passed_over(query: str, signed_in: SignIn) -> None:
    customer("ada")
    assert names(signed_in("analyst"), query) == ["Ada"]


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("down", [True, False])
@pytest.mark.django_db
def test_pages_show_everybody_once_forwards_and_backwards(order: str, down: bool) -> None:
    crowd(120)
    everybody = [row.pk for row in in_order(Customer.objects.all(), ORDERS[order], down=down)]
    cut = Cut(ORDERS[order], down, 25)
    seen: list[int] = []
    at = page(Customer.objects.all(), cut)
    assert not at.previous
    while True:
        seen += [row["pk"] for row in at.rows]
        if not at.next:
            break
        at = page(Customer.objects.all(), Cut(ORDERS[order], down, 25, after=at.next))
    assert seen == everybody
    back = [row["pk"] for row in at.rows]
    while at.previous:
        at = page(Customer.objects.all(), Cut(ORDERS[order], down, 25, before=at.previous))
        back = [row["pk"] for row in at.rows] + back
    assert back == everybody


@pytest.mark.parametrize("order", ["last_order", "revenue", "mrr"])
@pytest.mark.parametrize("down", [True, False])
@pytest.mark.django_db
def test_a_stage_is_read_in_order_without_passing_by_the_others(order: str, down: bool) -> None:
    crowd(300)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer, customers_customerfacts; SET LOCAL enable_sort = off")
    lost = matching(Filters(stages=("lost",)))
    plan = in_order(lost, ORDERS[order], down=down).values("pk")[:25].explain()
    assert f"facts_in_stage_by_{order}" in plan
    assert "Sort" not in plan
    assert "Filter: (customers_customerfacts.stage" not in plan


def test_who_never_ordered_is_last_by_last_order(signed_in: SignIn) -> None:
    customer("never")
    customer("old", facts={"last_order_at": "2020-01-01T00:00Z"})
    customer("fresh", facts={"last_order_at": "2024-01-01T00:00Z"})
    assert names(signed_in("analyst"), "sort=-last_order") == ["Fresh", "Old", "Never"]
    assert names(signed_in("analyst"), "sort=last_order") == ["Never", "Old", "Fresh"]


def test_headings_turn_the_order_round(signed_in: SignIn) -> None:
    customer("ada", facts={"revenue": 5})
    page = signed_in("analyst").get("/customers/?sort=-revenue&country=").content.decode()
    assert '<th scope="col" class="num" aria-sort="descending"><a href="?sort=revenue">Revenue</a></th>' in page


def test_the_size_of_a_page(signed_in: SignIn) -> None:
    crowd(60)
    client = signed_in("analyst")
    assert len(names(client, "size=25")) == 25
    assert len(names(client)) == 50
    assert len(names(client, "size=100")) == 60


def test_the_part_that_htmx_asks_for_is_the_same_list(signed_in: SignIn) -> None:
    customer("ada")
    client = signed_in("analyst")
    part = client.get("/customers/?q=ada", headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()
    assert "<html" not in part
    assert 'data-query="q=ada"' in part
    assert ">Ada</a>" in part


def test_counts_are_exact_and_above_that_estimated(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(40)
    assert count(Customer.objects.all()) == listing.Count(40, exact=True)
    monkeypatch.setattr(listing, "EXACT_UP_TO", 10)
    estimated = count(Customer.objects.all())
    assert not estimated.exact
    assert estimated.number >= 10


def test_an_estimate_says_that_it_is_one(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(40)
    monkeypatch.setattr(listing, "EXACT_UP_TO", 10)
    assert "about</span>" in signed_in("analyst").get("/customers/").content.decode()


def test_user_text_stays_text(signed_in: SignIn) -> None:
    customer("x", name="<script>alert(1)</script>", tags=["<b>"])
    page = signed_in("analyst").get("/customers/?q=%22%3E%3Cscript%3E").content.decode()
    assert "<script>alert" not in page
    page = signed_in("analyst").get("/customers/").content.decode()
    assert "<script>alert" not in page
    assert "<b>" not in page


def test_the_number_of_queries_is_fixed(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    crowd(5)
    assert_query_count("customers list", client, "/customers/")
    crowd_more = [Customer(external_id=f"m{n}", name=f"More {n}", country=f"C{n}", tags=["a", "b"]) for n in range(80)]
    Customer.objects.bulk_create(crowd_more)
    assert_query_count("customers list", client, "/customers/")
    assert_query_count("customers list", client, "/customers/?sort=-revenue&stage=prospect")


def test_a_view_is_kept_shared_and_dropped(signed_in: SignIn) -> None:
    mine, theirs = signed_in("account_manager"), signed_in("analyst")
    said = {"place": "customers:list", "name": "My risks", "query": "stage=at_risk&after=xyz"}
    response = mine.post("/views/", said)
    assert response["Location"] == "/customers/?stage=at_risk"
    assert ">My risks</a>" in mine.get("/customers/").content.decode()
    assert "My risks" not in theirs.get("/customers/").content.decode()
    mine.post("/views/", {**said, "name": "MY RISKS", "shared": "on"})
    view = SavedView.objects.get()
    assert ">MY RISKS</a>" in theirs.get("/customers/").content.decode()
    assert theirs.post(f"/views/{view.pk}/drop/").status_code == 404
    assert theirs.post(f"/views/{view.pk}/rename/", {"name": "Theirs"}).status_code == 404
    mine.post(f"/views/{view.pk}/drop/")
    assert not SavedView.objects.exists()


def test_a_view_is_renamed(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    for name in ("Mine", "Other"):
        client.post("/views/", {"place": "customers:list", "name": name, "query": f"q={name}"})
    mine = SavedView.objects.get(name="Mine")

    def named(name: str) -> str:
        page = client.post(f"/views/{mine.pk}/rename/", {"name": name}, follow=True)
        assert page.redirect_chain[-1][0] == "/customers/?q=Mine"
        return unescape(page.content.decode())

    assert "“Mine” is called “My risks” now." in named("My risks")
    assert "“My risks” is called “MY risks” now." in named("MY risks")
    assert "another view of yours is called like that" in named("OTHER")
    assert "give it one of at most 60 characters" in named(" ")
    assert "give it one of at most 60 characters" in named("x" * 61)
    assert sorted(SavedView.objects.values_list("name", flat=True)) == ["MY risks", "Other"]


def test_a_view_is_of_a_list_and_has_a_name(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    assert client.post("/views/", {"place": "evil:place", "name": "x", "query": ""}).status_code == 400
    client.post("/views/", {"place": "customers:list", "name": "", "query": "q=a"})
    assert not SavedView.objects.exists()


def test_where_statistics_tell_nothing_is_counted(
    db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Customer.objects.bulk_create(Customer(external_id=str(n)) for n in range(40))
    monkeypatch.setattr(listing, "EXACT_UP_TO", 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")
    with django_assert_num_queries(1):
        assert count(Customer.objects.all(), by_statistics=True) == listing.Count(40, exact=False)
    few = Customer.objects.filter(external_id="7")
    assert count(few, by_statistics=True) == listing.Count(1, exact=True)


def test_a_list_opens_with_the_view_that_somebody_chose(signed_in: SignIn) -> None:
    customer("ada", facts={"stage": "at_risk"})
    customer("bob", facts={"stage": "loyal"})
    mine, theirs = signed_in("account_manager"), signed_in("analyst")
    mine.post("/views/", {"place": "customers:list", "name": "Risks", "query": "stage=at_risk", "shared": "on"})
    view = SavedView.objects.get()
    chosen = {"place": "customers:list", "view": view.pk}
    assert theirs.post("/views/opening/", chosen)["Location"] == "/customers/"
    opened = theirs.get("/customers/")
    assert (opened.status_code, opened["Location"]) == (302, "/customers/?stage=at_risk")
    assert mine.get("/customers/").status_code == 200, "what one chooses opens nobody else's list"
    page = theirs.get("/customers/?stage=at_risk").content.decode()
    assert '<a href="/customers/?view=all">All</a>' in page
    assert 'class="chip" href="?view=all"' in page
    assert names(theirs, "view=all") == ["Ada", "Bob"]
    assert names(theirs, "q=bob") == ["Bob"]
    assert theirs.get("/customers/", headers={"HX-Target": "list"}).status_code == 200
    theirs.post("/views/opening/", {"place": "customers:list", "view": ""})
    assert theirs.get("/customers/").status_code == 200


def test_a_view_that_says_nothing_opens_without_leading_on(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    client.post("/views/", {"place": "customers:list", "name": "Plain", "query": ""})
    client.post("/views/opening/", {"place": "customers:list", "view": SavedView.objects.get().pk})
    assert client.get("/customers/").status_code == 200


def test_nobody_opens_with_what_is_not_theirs_to_see(signed_in: SignIn) -> None:
    """Neither when they choose nor once it is no longer shared; written over it stays the view they chose."""
    mine, theirs = signed_in("account_manager"), signed_in("analyst")
    said = {"place": "customers:orders", "name": "Risks", "query": "state=cancelled"}
    mine.post("/views/", said)
    chosen = {"place": "customers:orders", "view": SavedView.objects.get().pk}
    assert theirs.post("/views/opening/", chosen).status_code == 404
    assert theirs.post("/views/opening/", {**chosen, "place": "evil:place"}).status_code == 400
    mine.post("/views/", {**said, "shared": "on"})
    theirs.post("/views/opening/", chosen)
    mine.post("/views/", {**said, "query": "state=refunded", "shared": "on"})
    assert theirs.get("/orders/")["Location"] == "/orders/?state=refunded"
    mine.post("/views/", said)
    assert theirs.get("/orders/").status_code == 200
    mine.post("/views/", {**said, "shared": "on"})
    assert theirs.get("/orders/").status_code == 200, "shared again it opens nobody's list who did not choose it anew"


def test_the_file_says_in_which_currency_somebody_pays(signed_in: SignIn) -> None:
    ada = customer("ada", facts={"subscribed_at": clock.now()})
    subscription(ada, clock.now() - timedelta(days=9), currency="USD")
    customer("bob", facts={"mrr": 12.5, "subscribed_at": clock.now()})
    customer("cyd")
    text = signed_in("analyst").post("/customers/export/", {"query": "", "scope": "all"}).content.decode()
    told = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    assert [(row["Customer"], row["MRR"], row["MRR in"]) for row in told] == [
        ("Ada", "", "USD"),
        ("Bob", "12.5", "EUR"),
        ("Cyd", "0", ""),
    ]


def test_customers_of_no_team_are_said_to_be(signed_in: SignIn) -> None:
    page = signed_in("account_manager").get("/customers/?team=none&owner=none").content.decode()
    assert "Remove the filter Team: No team" in page
    assert "Remove the filter Owner: Nobody" in page
    asked = bulk.ACTIONS["team"].ask(Customer.objects.all())
    assert isinstance(asked, forms.ChoiceField)
    assert re.findall(r">([^<]+)</option>", asked.widget.render("team", "")) == ["Choose…", "No team"]


def test_a_language_is_called_by_its_name(signed_in: SignIn) -> None:
    customer("ada", language="de")
    customer("bob", language="Klingon")
    page = signed_in("analyst").get("/customers/?column=language").content.decode()
    assert "<td>German</td>" in page
    assert "<td>Klingon</td>" in page
