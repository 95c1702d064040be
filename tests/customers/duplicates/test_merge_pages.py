"""The pages of a merge: side by side, merged with what was chosen, undone; by whoever may."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.models import Consent, Contact, Customer, CustomField, Likeness, Merge
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
    one = customer("a", name="Acme", phone="1", language="de", tags=["x"], attributes={"size": 10, "loose": "one"})
    other = customer("b", name="ACME Ltd", email="b@x.test", tags=["y"], attributes={"size": 20, "only": "theirs"})
    return one, other


def test_it_works(signed_in: SignIn) -> None:
    one, other = pair()
    client, url = signed_in("account_manager"), f"/customers/{one.pk}/merge/{other.pk}/"
    page = client.get(url).content.decode()
    assert ">German<" in page
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
    assert "People: 1" in page
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


@pytest.mark.parametrize(("role", "offered"), [("account_manager", True), ("analyst", False)])
def test_a_merge_is_undone_in_its_row(role: str, offered: bool, signed_in: SignIn) -> None:
    one, other = pair()
    undo = f'action="/customers/merges/{full.united(one, other).pk}/undo/"'
    client = signed_in(role)
    assert (undo in client.get("/customers/merges/").content.decode()) is offered
    Merge.objects.update(undone_at=clock.now())
    assert undo not in client.get("/customers/merges/").content.decode()


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


def group(number: int = 4) -> list[Customer]:
    """The first with the least, and whom each of the others is suggested with."""
    made = [customer(f"g{n}", name=f"Acme {n}", tags=[f"t{n}"], phone="" if n < 2 else f"{n}") for n in range(number)]
    for other in made[1:]:
        Likeness.objects.create(low=made[0], high=other, score=80, reasons=[])
    return made


def sent(page: str, *pick: Customer, **more: str) -> dict[str, Any]:
    said = {name: html.unescape(value) for name, value in hidden(page).items()}
    return said | {"pick": [each.pk for each in pick]} | more


def test_those_picked_of_a_group_become_one_each_by_a_merge(signed_in: SignIn) -> None:
    one, two, three, four = group()
    client, url = signed_in("account_manager"), f"/customers/{one.pk}/merge-group/"
    assert f'href="{url}"' in client.get("/customers/duplicates/").content.decode()
    page = client.get(url).content.decode()
    said = sent(page, two, four, why="One firm")
    assert client.post(url, said)["Location"] == f"/customers/{one.pk}/"
    one.refresh_from_db()
    assert (one.name, one.phone, one.tags) == ("Acme 0", "3", ["t0", "t1", "t3"])
    assert list(Merge.objects.order_by("pk").values_list("loser_id", "why")) == [
        (two.pk, "One firm"),
        (four.pk, "One firm"),
    ]
    assert client.post(url, said)["Location"] == f"/customers/{one.pk}/"
    assert Merge.objects.count() == 2
    first, last = Merge.objects.order_by("pk")
    blocked = client.get(f"/customers/merges/{first.pk}/").content.decode()
    assert f'/customers/merges/{last.pk}/">See that merge' in blocked
    assert three.external_id in client.get(url).content.decode()
    for made in (last, first):
        client.post(f"/customers/merges/{made.pk}/undo/")
    assert Customer.objects.count() == 4
    one.refresh_from_db()
    assert (one.phone, one.tags) == ("", ["t0"])


def test_a_group_is_looked_at_again_where_somebody_changed_one(signed_in: SignIn) -> None:
    """What was merged before the refused one stands, and is said so; nothing picked is said so."""
    one, two, three, _ = group()
    client, url = signed_in("account_manager"), f"/customers/{one.pk}/merge-group/"
    page = client.get(url).content.decode()
    assert "Pick who is the same" in client.post(url, sent(page)).content.decode()
    Customer.objects.filter(pk=three.pk).update(updated_at=clock.now())
    answer = client.post(url, sent(page, two, three), follow=True).content.decode()
    assert "Acme 1 is now part of Acme 0" in answer
    assert "It went no further. Acme 2: Somebody changed one of the two meanwhile" in answer
    assert list(Merge.objects.values_list("loser_id", flat=True)) == [two.pk]
    refused = client.post(url, sent(page, three, why="Typed"))
    assert refused.status_code == 409
    assert "Nothing was changed." in refused.content.decode()
    assert 'value="Typed"' in refused.content.decode()
    assert client.post(url, sent(page, three) | {"opened": "[" * 1_000}).status_code == 422
    assert signed_in("analyst").get(url).status_code == 403
    assert "Nobody is suggested" in client.get(f"/customers/{customer('alone').pk}/merge-group/").content.decode()


def test_of_a_group_the_values_stay_that_are_chosen(signed_in: SignIn) -> None:
    """From whom they are picked, and by whom of several who have them; what they said of mail is the strictest."""
    CustomField.objects.create(key="size", label="Size", type="number")
    one, two, three, _ = group()
    Customer.objects.filter(pk__in=[two.pk, three.pk]).update(country="France", attributes={"size": 7})
    Customer.objects.filter(pk=one.pk).update(country="Spain", attributes={"size": 3})
    for each, state in ((one, "granted"), (three, "withdrawn")):
        Consent.objects.create(customer=each, channel="email", state=state, source="form", changed_at=clock.now())
    client, url = signed_in("account_manager"), f"/customers/{one.pk}/merge-group/"
    page = client.get(url).content.decode()
    assert re.findall(r'data-label="Marketing">([^<\n]*)', page) == [
        *("E-mail: agreed", "never asked", "E-mail: withdrawn", "never asked")
    ]
    assert "the strictest holds" in page
    chosen = {"country": two.pk, "custom.size": one.pk, "name": three.pk, "tags": three.pk}
    refused = client.post(url, sent(page, three) | chosen | {"name": two.pk})
    assert refused.status_code == 422
    assert "Acme 1 is not picked. Pick them too" in refused.content.decode()
    assert re.search(rf'value="{two.pk}" selected>France', refused.content.decode())
    assert client.post(url, sent(page, three) | chosen).status_code == 302
    one.refresh_from_db()
    assert (one.name, one.country, one.attributes, one.tags) == ("Acme 2", "France", {"size": 3}, ["t2"])
    assert Consent.objects.get(customer=one).state == "withdrawn"
    assert Customer.objects.filter(pk=two.pk).exists()
