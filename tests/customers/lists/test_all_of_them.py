"""The lists of all orders, contacts and subscriptions: what they are narrowed down by, and that they stay cheap."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from customers.models import Contact, ContactConsent, Customer, Order
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
