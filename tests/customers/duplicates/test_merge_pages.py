"""The pages of a merge: side by side, merged with what was chosen, undone; by whoever may."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from customers.models import Contact, Customer, CustomField, Merge
from retention.common import clock
from tests.baseline import assert_query_count
from tests.customers.duplicates import full
from tests.customers.known import customer

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def hidden(page: str) -> dict[str, str]:
    found = {name: re.search(f'name="{name}" value="([^"]*)"', page) for name in ("once", "opened")}
    return {name: match[1] for name, match in found.items() if match}


def pair() -> tuple[Customer, Customer]:
    CustomField.objects.create(key="size", label="Size", type="number")
    one = customer("a", name="Acme", phone="1", tags=["x"], attributes={"size": 10, "loose": "one"})
    other = customer("b", name="ACME Ltd", email="b@x.test", tags=["y"], attributes={"size": 20, "only": "theirs"})
    return one, other


def test_it_works(signed_in: SignIn) -> None:
    one, other = pair()
    client, url = signed_in("account_manager"), f"/customers/{one.pk}/merge/{other.pk}/"
    page = client.get(url).content.decode()
    said = hidden(page) | {
        "name": "theirs",
        "phone": "mine",
        "custom.size": "theirs",
        "tags": "both",
        "why": "One firm",
    }
    answer = client.post(url, said)
    made = Merge.objects.get()
    assert answer["Location"] == f"/customers/merges/{made.pk}/"
    one.refresh_from_db()
    assert (one.name, one.phone, one.email, one.tags) == ("ACME Ltd", "1", "b@x.test", ["x", "y"])
    assert one.attributes == {"size": 20, "loose": "one", "only": "theirs"}
    assert client.post(url, said)["Location"] == f"/customers/merges/{made.pk}/"
    assert Merge.objects.count() == 1
    assert "One firm" in client.get(f"/customers/merges/{made.pk}/").content.decode()
    assert "merged ACME Ltd (b) into this customer" in client.get(f"/customers/{one.pk}/").content.decode()
    Contact.objects.create(customer=one, name="Later")
    client.post(f"/customers/merges/{made.pk}/undo/")
    page = client.get(f"/customers/merges/{made.pk}/").content.decode()
    assert "1 people" in page
    one.refresh_from_db()
    assert (one.name, one.email, one.tags, one.attributes) == ("Acme", "", ["x"], {"size": 10, "loose": "one"})
    assert Customer.objects.get(external_id="b").attributes == {"size": 20, "only": "theirs"}
    assert Contact.objects.get().customer_id == one.pk


def test_what_was_chosen_is_kept_when_somebody_was_faster(signed_in: SignIn) -> None:
    one, other = pair()
    client, url = signed_in("account_manager"), f"/customers/{one.pk}/merge/{other.pk}/"
    said = hidden(client.get(url).content.decode()) | {"name": "theirs", "why": "Typed"}
    Customer.objects.filter(pk=other.pk).update(updated_at=clock.now())
    answer = client.post(url, said)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed one of the two meanwhile" in page
    assert 'value="Typed"' in page
    assert re.search(r'name="name" value="theirs"\s+checked', page)
    assert client.post(url, said | hidden(page)).status_code == 302


@pytest.mark.parametrize("role", ["analyst", "marketer"])
def test_who_may(role: str, signed_in: SignIn) -> None:
    one, other = pair()
    third = customer("c")
    made = full.united(third, other)
    last = customer("d")
    client = signed_in(role)
    for url in (f"/customers/{one.pk}/merge/", f"/customers/{one.pk}/merge/{last.pk}/"):
        assert client.get(url).status_code == 403
    assert client.post(f"/customers/{one.pk}/merge/{last.pk}/").status_code == 403
    assert client.post(f"/customers/merges/{made.pk}/undo/").status_code == 403
    page = client.get(f"/customers/merges/{made.pk}/")
    assert page.status_code == 200
    assert "Undo the merge" not in page.content.decode()
    assert Merge.objects.get().undone_at is None


def test_finding_the_other_one(signed_in: SignIn) -> None:
    one, other = pair()
    page = signed_in("account_manager").get(f"/customers/{one.pk}/merge/?q=acme").content.decode()
    assert f"/customers/{one.pk}/merge/{other.pk}/" in page
    assert f"/customers/{one.pk}/merge/{one.pk}/" not in page


def test_why_it_cannot_be_undone(signed_in: SignIn) -> None:
    one, other = pair()
    made = full.united(one, other)
    Customer.objects.create(external_id="b", name="Taker")
    client = signed_in("account_manager")
    assert "Taker has the id b now" in client.get(f"/customers/merges/{made.pk}/").content.decode()
    assert "Taker has the id b now" in client.post(f"/customers/merges/{made.pk}/undo/", follow=True).content.decode()
    assert Merge.objects.get().undone_at is None


def test_pages_at_a_fixed_cost(signed_in: SignIn) -> None:
    survivor, loser, _ = full.two()
    client = signed_in("account_manager")
    assert_query_count("customers compared", client, f"/customers/{survivor.pk}/merge/{loser.pk}/")
    made = full.united(survivor, loser)
    assert_query_count("merge", client, f"/customers/merges/{made.pk}/")
    assert_query_count("merges", client, "/customers/merges/")
