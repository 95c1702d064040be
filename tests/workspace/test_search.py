"""The search over everything."""

from collections.abc import Callable

from django.test import Client

from customers.models import Order
from retention.common import clock
from retention.workspace import finding
from tests.baseline import assert_query_count
from tests.customers.known import crowd, customer

SignIn = Callable[[str], Client]
BOX = {"HX-Request": "true", "HX-Target": "found"}


def test_it_works(signed_in: SignIn) -> None:
    ada = customer("c-77", name="Ada Lovelace", email="ada@example.test")
    Order.objects.create(external_id="INV-900", customer=ada, ordered_at=clock.now(), currency="EUR")
    client = signed_in("marketer")
    part = client.get("/search/?q=love", headers=BOX).content.decode()
    assert "<html" not in part
    assert f'href="/customers/{ada.pk}/"' in part
    assert "ada@example.test" in part
    assert "INV-900" in client.get("/search/?q=INV-9").content.decode()


def test_a_letter_is_too_little_and_nothing_is_said_so(signed_in: SignIn) -> None:
    customer("ada")
    client = signed_in("marketer")
    assert client.get("/search/?q=a", headers=BOX).content.decode().strip() == ""
    assert "Nothing begins with" in client.get("/search/?q=zzz", headers=BOX).content.decode()
    assert "at least two" in client.get("/search/").content.decode()


def test_few_of_many_are_shown(signed_in: SignIn) -> None:
    crowd(40)
    client = signed_in("marketer")
    shown = client.get("/search/?q=person", headers=BOX).content.decode()
    assert shown.count('<a class="found-link" href') == finding.MOST
    assert 'href="/customers/?q=person"><span>See all customers for “person”' in shown
    assert "See all" not in client.get("/search/?q=person+0001", headers=BOX).content.decode()


def test_what_is_typed_stays_text(signed_in: SignIn) -> None:
    assert "<script>x" not in signed_in("marketer").get("/search/?q=<script>x").content.decode()
    assert signed_in("marketer").get("/search/?q=%27%22%5C").status_code == 200


def test_the_number_of_queries_is_fixed(signed_in: SignIn) -> None:
    client = signed_in("marketer")
    crowd(3)
    assert_query_count("search", client, "/search/?q=person")
    assert_query_count("search", client, "/search/?q=zzzz")
