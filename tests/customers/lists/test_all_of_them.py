"""The lists of all orders, contacts and subscriptions: what they are narrowed down by, and that they stay cheap."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Case, Contact, ContactConsent, Customer, FormerId, Order
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.customers.known import customer
from tests.customers.subscribing import subscription, term

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
URLS = {"orders": "/orders/", "contacts": "/customers/people/", "subscriptions": "/subscriptions/"}


@pytest.fixture
def two() -> tuple[Customer, Customer]:
    """Ada, of the account manager, and Bob, of nobody."""
    anna = User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")
    return customer("ada", name="Ada", owner=anna), customer("bob", name="", email="bob@example.test")


def found(client: Client, url: str, column: int = 0) -> list[str]:
    """What the file has, which is what the list shows."""
    lines = b"".join(client.get(f"{url}&format=csv")).decode("utf-8-sig").splitlines()[1:]
    return [line.split(",")[column] for line in lines]


def test_orders(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    now = clock.now()
    for number, (who, days, net, state) in enumerate(
        [(two[0], 1, 10, "completed"), (two[1], 40, 30, "completed"), (None, 5, 20, "cancelled")]
    ):
        Order.objects.create(
            external_id=f"o{number}",
            customer=who,
            ordered_at=now - timedelta(days=days),
            amount=net,
            currency="EUR",
            state=state,
        )
    client = signed_in("account_manager")
    queries = {
        "": ["o0", "o2", "o1"],
        "sort=when": ["o1", "o2", "o0"],
        "sort=-net": ["o1", "o2", "o0"],
        "q=o1": ["o1"],
        "q=bob": ["o1"],
        "state=cancelled": ["o2"],
        "since=30": ["o0", "o2"],
        "person=me": ["o0"],
        f"customer={two[1].pk}": ["o1"],
        "state=x&since=x&person=x&customer=x&sort=x": ["o0", "o2", "o1"],
    }
    assert {query: found(client, f"/orders/?{query}") for query in queries} == queries
    assert "Nobody known" in client.get("/orders/").content.decode()
    assert f"/orders/?customer={two[0].pk}" in client.get(f"/customers/{two[0].pk}/orders/").content.decode()


def test_a_customer_who_is_gone_never_becomes_everybody(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    """A link to one customer's orders leads to those of whom they were taken into, or to none."""
    for who in two:
        Order.objects.create(external_id=f"of {who}", customer=who, ordered_at=clock.now(), currency="EUR")
    FormerId.objects.create(pk=77_777, external_id="merged", customer=two[0])
    client = signed_in("account_manager")
    assert found(client, "/orders/?customer=77777") == ["of Ada"]
    assert found(client, "/orders/?customer=999999") == []
    assert "Remove the filter Customer: 999999" in client.get("/orders/?customer=999999").content.decode()
    assert f"Remove the filter Customer: {two[0]}" in client.get("/orders/?customer=77777").content.decode()


def test_no_person_has_the_number_nought(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    Case.objects.create(customer=two[1], external_id="n", subject="Nobody's", opened_at=clock.now())
    client = signed_in("account_manager")
    assert [found(client, f"/cases/?person={who}", 1) for who in ("0", "nobody")] == [[], ["Nobody's"]]


def test_what_is_chosen_is_offered(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    """Else the next search would forget it."""
    gone = User.objects.create_user("gone@example.test", first_name="Gus", is_active=False)
    page = signed_in("account_manager").get(f"/orders/?person={gone.pk}").content.decode()
    assert f'<option value="{gone.pk}" selected>Gus</option>' in page
    assert "Remove the filter Whose: Gus" in page


def test_a_search_looks_each_word_up_once(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    client = signed_in("analyst")
    for name, url in URLS.items():
        assert_query_count(f"{name} by words", client, f"{url}?q=030 123456")


@pytest.mark.parametrize(
    "mark", ['["\\u0000", 1]', '["\\ud800", 1]', '["2020-01-01", 1]', "[NaN, 1]", '["x", 1]', "[1e400, 1]"]
)
def test_a_mark_of_nonsense_is_the_first_page(signed_in: SignIn, two: tuple[Customer, Customer], mark: str) -> None:
    Contact.objects.create(customer=two[0], name="Eve")
    client = signed_in("analyst")
    after = base64.urlsafe_b64encode(mark.encode()).decode().rstrip("=")
    sorts = {"/customers/people/": ("name", "added"), "/orders/": ("net", "when"), "/cases/": ("customer", "due")}
    for url, names in (sorts | {"/products/": ("sku", "price")}).items():
        for name in names:
            assert client.get(f"{url}?sort={name}&after={after}").status_code == 200, (url, name)
    assert "Eve" in client.get(f"/customers/people/?sort=added&after={after}").content.decode()


def test_an_address_writes_no_more_than_an_address(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    Contact.objects.create(customer=two[0], email="a?bcc=b@example.test", phone="+49 30;ext=1")
    page = signed_in("account_manager").get("/customers/people/").content.decode()
    assert 'href="mailto:a%3Fbcc%3Db@example.test"' in page
    assert 'href="tel:+49%2030%3Bext%3D1"' in page


def test_contacts(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    cleo, dan = (
        Contact.objects.create(customer=who, name=name, email=f"{name}@example.test", is_main=name == "Cleo")
        for who, name in zip(two, ("Cleo", "Dan"), strict=True)
    )
    Contact.objects.create(customer=two[0], name="Gone", removed_at=clock.now())
    ContactConsent.objects.create(contact=dan, channel="email", state="withdrawn", source="call")
    ContactConsent.objects.create(contact=cleo, channel="phone", state="granted", source="call")
    client = signed_in("account_manager")
    queries = {
        "": ["Dan", "Cleo"],
        "sort=name": ["Cleo", "Dan"],
        "q=cle": ["Cleo"],
        "q=ada": ["Cleo"],
        "main=yes": ["Cleo"],
        "consent=withdrawn": ["Dan"],
        "consent=never": ["Cleo"],
        "consent=granted": [],
        "person=nobody": ["Dan"],
        f"customer={two[1].pk}": ["Dan"],
    }
    assert {query: found(client, f"/customers/people/?{query}") for query in queries} == queries


def test_subscriptions(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    now, long = clock.now(), timedelta(days=300)
    ada, bob = two
    subscription(ada, now - long, external_id="runs", renews_at=now + long, plan="Gold")
    subscription(bob, now - long, now + long, external_id="ends")
    subscription(bob, now - 2 * long, now - long, external_id="over")
    subscription(bob, now + long, external_id="later", renews_at=now + 2 * long)
    changed = subscription(ada, now - long, now - timedelta(days=9), external_id="changed", renews_at=now + 3 * long)
    term(changed, now - timedelta(days=9), plan="Silver")
    subscription(bob, external_id="never agreed")
    client = signed_in("account_manager")
    queries = {
        "": ["runs", "later", "changed", "ends", "over"],
        "sort=-renews": ["over", "ends", "changed", "later", "runs"],
        "state=running": ["runs", "changed"],
        "state=ending": ["ends"],
        "state=ended": ["over"],
        "state=planned": ["later"],
        "q=gold": ["runs"],
        "q=GO": ["runs"],
        "q=change": ["changed"],
        "q=bob": ["later", "ends", "over"],
        "person=me": ["runs", "changed"],
        f"customer={bob.pk}": ["later", "ends", "over"],
    }
    assert {query: found(client, f"/subscriptions/?{query}") for query in queries} == queries
    assert found(client, "/subscriptions/?state=running", 3) == ["Gold", "Silver"]


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn, two: tuple[Customer, Customer]) -> None:
    client, now = signed_in("analyst"), clock.now()
    for size in (1, 30):
        for number in range(size):
            who = customer(f"c{size}-{number}")
            Contact.objects.create(customer=who, name="Eve")
            Order.objects.create(external_id=f"o{size}-{number}", customer=who, ordered_at=now, currency="EUR")
            subscription(who, now)
        for name, url in URLS.items():
            assert_query_count(name, client, url)


@pytest.mark.parametrize("page", ["/orders/", "/customers/people/", "/subscriptions/", "/cases/"])
def test_counting_joins_no_customers(signed_in: SignIn, page: str) -> None:
    client = signed_in("analyst")
    with CaptureQueriesContext(connection) as queries:
        client.get(page)
    counting = [each["sql"] for each in queries if each["sql"] and each["sql"].startswith(("EXPLAIN", "SELECT COUNT"))]
    assert len(counting) == 2
    assert not [sql for sql in counting if "customers_customer" in sql]
