"""An id of before a merge leads to the customer who is there now: in addresses, files, searches and forms."""

from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from customers.duplicates import merging, undoing
from customers.duplicates.merging import Wanted
from customers.ingest import former_ids, running, staging
from customers.ingest import merging as ingest
from customers.ingest.imports import take_in
from customers.ingest.statements import number
from customers.models import Customer, FormerId, Merge, Order
from customers.records.filters import Filters, matching
from customers.segments import list_files
from retention.workspace.finding import Typed, search
from tests.customers.at_once import elsewhere, until, waiting
from tests.customers.duplicates import full
from tests.customers.duplicates.full import united
from tests.customers.ingest.bringing import CUSTOMERS, ORDERS, again, bring, done, mapping, refusals
from tests.customers.known import customer

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
HEADER = "customer_id,name,email,joined_at,tags,consent\n"


@pytest.fixture
def chain() -> list[Customer]:
    """c was merged into b, and b into a."""
    a, b, c = (customer(name) for name in "abc")
    united(b, c)
    united(Customer.objects.get(pk=a.pk), Customer.objects.get(pk=b.pk))
    return [a, b, c]


def test_it_works(signed_in: SignIn, chain: list[Customer]) -> None:
    a, b, c = chain
    client = signed_in("analyst")
    for old in (b, c):
        answer = client.get(f"/customers/{old.pk}/?show=Orders")
        assert (answer.status_code, answer["Location"]) == (301, f"/customers/{a.pk}/?show=Orders")
        assert answer["Cache-Control"] == "no-store"
    assert client.get(f"/customers/{c.pk}/people/")["Location"] == f"/customers/{a.pk}/people/"
    assert client.get(f"/surveys/customer/{c.pk}/")["Location"] == f"/surveys/customer/{a.pk}/"
    assert client.get("/customers/999999/").status_code == 404
    assert Client().get(f"/customers/{b.pk}/")["Location"].startswith("/account/login/")


def test_what_was_typed_on_an_old_page_is_not_lost(signed_in: SignIn, chain: list[Customer]) -> None:
    a, _, c = chain
    client = signed_in("account_manager")
    answer = client.post(f"/customers/{c.pk}/people/new/", {"name": "Ada"}, follow=True)
    assert answer.redirect_chain[0] == (f"/customers/{a.pk}/people/new/", 308)
    assert a.contacts.get().name == "Ada"


def test_undone_the_old_address_is_a_page_again(signed_in: SignIn, chain: list[Customer]) -> None:
    a, b, c = chain
    latest = Merge.objects.get(loser_id=b.pk)
    first = Merge.objects.get(loser_id=c.pk)
    with pytest.raises(undoing.CannotUndo, match="Undo that first"):
        undoing.undo(first.pk, full.boss())
    undoing.undo(latest.pk, full.boss())
    client = signed_in("analyst")
    assert client.get(f"/customers/{b.pk}/").status_code == 200
    assert client.get(f"/customers/{c.pk}/")["Location"] == f"/customers/{b.pk}/"
    undoing.undo(first.pk, full.boss())
    assert [client.get(f"/customers/{each.pk}/").status_code for each in (a, b, c)] == [200] * 3
    assert not FormerId.objects.exists()


def test_a_file_by_the_old_id_is_about_the_survivor(chain: list[Customer]) -> None:
    a, *_ = chain
    summary = done(mapping(CUSTOMERS), f"{HEADER}c,Lovelace,,,,\n")
    assert (summary["customers"]["updated"], summary["customers"]["created"]) == (1, 0)
    a.refresh_from_db()
    assert (a.name, Customer.objects.count()) == ("Lovelace", 1)
    done(mapping(ORDERS), "order_id,customer_id,ordered_at,amount,currency,email\no1,b,2026-01-02,10,EUR,\n")
    assert Order.objects.get().customer == a


def test_the_survivors_own_line_stands(chain: list[Customer]) -> None:
    a, *_ = chain
    _, taken = bring(mapping(CUSTOMERS), f"{HEADER}c,Old,,,,\na,Own,,,,\n")
    a.refresh_from_db()
    assert a.name == "Own"
    assert "was merged into “a”, who is in line 3" in refusals(taken)[0][1]


def test_searching_finds_by_the_old_id(chain: list[Customer]) -> None:
    a, *_ = chain
    Customer.objects.filter(pk=a.pk).update(name="Lovelace")
    assert list(matching(Filters(q="c"))) == [a]
    FormerId.objects.filter(external_id="c").update(external_id="crm-77")
    groups = {group.label: [each.name for each in group.finds] for group in search(Typed("crm-77"), full.boss())}
    assert groups["Customers"] == ["Lovelace"]
    assert list_files.find(["crm-77", "b"]).customer_ids == [a.pk]


def test_an_old_id_is_nobody_elses(signed_in: SignIn, chain: list[Customer]) -> None:
    page = signed_in("account_manager").post("/customers/new/", {"external_id": "c", "kind": "person", "name": "New"})
    assert "since a merge" in page.content.decode()
    assert Customer.objects.count() == 1


def known_again_by_a_file_read_meanwhile() -> bool:
    """Whether somebody who is made one with another comes again by a file that was read before that was done."""
    ann, bob = (Customer.objects.create(external_id=name) for name in ("ann", "bob"))
    taken = take_in(BytesIO(f"{HEADER}bob,Bob,,,,\n".encode()), "file.csv", mapping(CUSTOMERS))
    with transaction.atomic():
        merging.merge(Wanted(ann.pk, bob.pk, ()), full.boss())
        importing = elsewhere(lambda: again(taken))
        until(lambda: waiting() == 1)
    importing.join()
    taken.refresh_from_db()
    assert taken.job is not None
    assert taken.job.state == "done", taken.job.error
    ann.refresh_from_db()
    return Customer.objects.exclude(pk=ann.pk).exists() or ann.name != "Bob"


@pytest.mark.django_db(transaction=True)
def test_a_file_that_was_read_during_a_merge_is_about_the_survivor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not known_again_by_a_file_read_meanwhile()
    Customer.objects.all().delete()
    monkeypatch.setattr(former_ids, "merges", dict)
    assert known_again_by_a_file_read_meanwhile(), "the planted bug is found"


def merged_in_between() -> None:
    """Another merge, if whoever imports lets it have its turn."""
    with transaction.atomic():
        if number("SELECT pg_try_advisory_xact_lock(%(turn)s)::int", turn=ingest._MERGE_TURN):
            loser = 100 + Merge.objects.count()
            Merge.objects.create(survivor_id=1, loser_id=loser, loser_external_id=loser)


@pytest.mark.django_db(transaction=True)
def test_a_file_comes_in_however_often_customers_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, merges = staging.stage, running.TRIES + 3

    def disturbed(*given: Any) -> int:
        if Merge.objects.count() < merges:
            elsewhere(merged_in_between).join()
        return stage(*given)

    monkeypatch.setattr(staging, "stage", disturbed)
    done(mapping(CUSTOMERS), f"{HEADER}bob,Bob,,,,\n")
    assert Merge.objects.count() == running.TRIES, "the last reading lets nobody between"
    elsewhere(merged_in_between).join()
    assert Merge.objects.count() == running.TRIES + 1, "whose turn it was has let go of it"
    monkeypatch.setattr(ingest, "turn_kept", nullcontext)
    done(mapping(CUSTOMERS), f"{HEADER}ann,Ann,,,,\n")
    assert Merge.objects.count() == merges, "the planted bug is found"
