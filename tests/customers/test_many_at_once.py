"""Changing and exporting many customers: those picked, or all that match."""

import csv
import io
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from customers.events.recording import Happening, record
from customers.models import Case, Customer, Dirty, ManyChange
from customers.records import exporting, listing
from customers.tasks import look_again
from customers.together import changing
from retention.common import clock
from retention.workspace import jobs
from retention.workspace.models import Job, User
from tests.customers.at_once import elsewhere, until, waiting
from tests.customers.known import crowd, customer

SignIn = Callable[[str], Client]


def ask(client: Client, action: str, **said: Any) -> Any:
    """As the page that tells what will change sends it."""
    return client.post("/customers/change/", {"action": action, "confirmed": "1", **said})


def test_it_works(signed_in: SignIn) -> None:
    ada, bob = customer("ada", tags=["old"]), customer("bob")
    client = signed_in("account_manager")
    response = ask(client, "tag", value="vip", pick=[ada.pk], query="sort=-revenue")
    assert response["Location"] == "/customers/?sort=-revenue"
    assert "1 customer changed" in client.get("/customers/").content.decode()
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.tags, bob.tags) == (["old", "vip"], [])
    assert list(Dirty.objects.values_list("customer", flat=True)) == [ada.pk]


def test_repeating_a_change_changes_nothing(signed_in: SignIn) -> None:
    ada = customer("ada")
    client = signed_in("account_manager")
    for _ in range(2):
        ask(client, "tag", value="vip", pick=[ada.pk])
    ada.refresh_from_db()
    assert ada.tags == ["vip"]
    changed_at = ada.updated_at
    assert changing.apply(changing.begin("customers", "tag", "vip", None), [ada.pk]) == 0
    ada.refresh_from_db()
    assert ada.updated_at == changed_at
    ask(client, "untag", value="vip", pick=[ada.pk])
    ada.refresh_from_db()
    assert ada.tags == []


def test_an_owner_is_given_and_taken(signed_in: SignIn) -> None:
    ada = customer("ada")
    client = signed_in("account_manager")
    me = User.objects.get(role="account_manager")
    ask(client, "owner", value=me.pk, pick=[ada.pk])
    ada.refresh_from_db()
    assert ada.owner == me
    ask(client, "owner", value="nobody", pick=[ada.pk])
    ada.refresh_from_db()
    assert ada.owner is None


def test_all_that_match_are_changed_by_a_job(signed_in: SignIn) -> None:
    crowd(30, country="Malta")
    crowd_elsewhere = customer("elsewhere")
    client = signed_in("account_manager")
    said = {"value": "vip", "scope": "all", "query": "country=Malta", "pick": [crowd_elsewhere.pk]}
    question = client.post("/customers/change/", {"action": "tag", **said}).content.decode()
    assert "<strong>30 customers</strong>" in question
    assert "30 customers will change" in question
    assert not Job.objects.exists()
    response = ask(client, "tag", **said)
    job = Job.objects.get()
    assert response["Location"] == f"/jobs/{job.pk}/"
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.summary["matched"], job.summary["changed"]) == ("done", 30, 30)
    assert Customer.objects.filter(tags=["vip"]).count() == 30
    assert "30" in client.get(f"/jobs/{job.pk}/").content.decode()


def test_a_change_stopped_half_way_is_half_done_and_can_go_on(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "AT_A_TIME", 10)
    crowd(30)
    signed_in("account_manager")
    me = User.objects.get(role="account_manager")
    spec = {"query": "", "action": "tag", "value": "vip"}
    job = jobs.enqueue("customers.bulk", "Tag", spec, me)
    apply = changing.apply

    def cancel_after_two(change: ManyChange, ids: list[int]) -> int:
        if Customer.objects.filter(tags=["vip"]).count() == 10:
            Job.objects.update(cancel_asked=True)
        return apply(change, ids)

    monkeypatch.setattr(changing, "apply", cancel_after_two)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert Customer.objects.filter(tags=["vip"]).count() == 20
    again = jobs.enqueue("customers.bulk", "Tag", spec, me)
    jobs.run(again.pk)
    again.refresh_from_db()
    assert (again.summary["matched"], again.summary["changed"]) == (30, 10)


@pytest.mark.parametrize(
    "said",
    [
        {"action": "tag", "value": ""},
        {"action": "tag", "value": "x" * 51},
        {"action": "owner", "value": "999999"},
        {"action": "owner", "value": "me"},
        {"action": "owner"},
        {"action": "delete"},
        {"action": "custom.none", "value": "x"},
    ],
)
def test_a_change_that_makes_no_sense_is_refused(said: dict[str, str], signed_in: SignIn) -> None:
    ada = customer("ada")
    client = signed_in("account_manager")
    response = client.post("/customers/change/", {"pick": [ada.pk], "confirmed": "1", **said}, follow=True)
    assert response.status_code == 422 or "Nothing was changed" in response.content.decode()
    ada.refresh_from_db()
    assert (ada.tags, ada.owner) == ([], None)
    assert not ManyChange.objects.exists()


def test_whoever_picks_nobody_is_told(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    ask(client, "tag", value="vip")
    assert "Pick some customers first. Nothing was changed." in client.get("/customers/").content.decode()


def test_what_will_change_is_told_before(signed_in: SignIn) -> None:
    ada, bob, cyd = customer("ada", tags=["vip"]), customer("bob"), customer("cyd")
    client, said = signed_in("account_manager"), {"action": "tag", "pick": [ada.pk, bob.pk, cyd.pk], "query": "q=x"}
    page = client.post("/customers/change/", said).content.decode()
    assert 'name="value"' in page
    assert "customers will change" not in page
    part = client.post("/customers/change/", {**said, "value": "vip"}, headers={"HX-Target": "will"}).content.decode()
    assert "2 customers will change, 1 is so already: Bob, Cyd." in " ".join(part.split())
    assert "<html" not in part
    assert not ManyChange.objects.exists()
    key = client.post("/customers/change/", {**said, "action": "key"}).content.decode()
    assert "3 customers will change: Ada, Bob, Cyd." in " ".join(key.split())


def test_who_may_not_edit_sees_no_tools_and_is_refused(signed_in: SignIn) -> None:
    ada = customer("ada")
    client = signed_in("marketer")
    page = client.get("/customers/").content.decode()
    assert "What to change" not in page
    assert "Add a customer" not in page
    assert ask(client, "tag", value="vip", pick=[ada.pk]).status_code == 403


def rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_an_export_has_what_the_list_shows(signed_in: SignIn) -> None:
    signed_in("account_manager")
    me = User.objects.get(role="account_manager")
    customer("ada", name="Ada, Countess", country="Malta", owner=me, tags=["a", "b"], facts={"revenue": "12.50"})
    customer("bob", country="Malta", facts={"revenue": 99, "stage": "loyal", "last_order_at": "2024-05-01T12:00Z"})
    customer("cyd")
    client = signed_in("analyst")
    response = client.post("/customers/export/", {"scope": "all", "query": "country=Malta&sort=-revenue"})
    assert response["Content-Disposition"] == 'attachment; filename="customers.csv"'
    head, first, second = rows(response.content.decode())
    assert head[:4] == ["Id", "Customer", "E-mail", "Country"]
    plain = ["bob", "Bob", "", "Malta", "", "Loyal", "", "0", "99", "0", "", "2024-05-01T12:00:00+00:00", "", ""]
    assert first == plain
    assert head[9:12] == ["MRR", "MRR in", "Last order"]
    assert second[:10] == ["ada", "Ada, Countess", "", "Malta", "a, b", "Prospect", str(me), "0", "12.5", "0"]


def test_an_export_of_those_picked(signed_in: SignIn) -> None:
    customer("ada")
    bob = customer("bob")
    response = signed_in("analyst").post("/customers/export/", {"pick": [bob.pk]})
    assert [row[0] for row in rows(response.content.decode())[1:]] == ["bob"]


def test_a_spreadsheet_runs_nothing_of_an_export(signed_in: SignIn) -> None:
    customer("x", name='=HYPERLINK("http://evil.example")', phone="+49", email="")
    response = signed_in("analyst").post("/customers/export/", {"scope": "all"})
    assert rows(response.content.decode())[1][1].startswith("'=")


def test_a_large_export_is_a_job_whose_file_only_its_person_gets(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    crowd(30)
    monkeypatch.setattr(listing, "EXACT_UP_TO", 10)
    client = signed_in("analyst")
    response = client.post("/customers/export/", {"scope": "all", "query": "sort=-revenue"})
    job = Job.objects.get()
    assert response["Location"] == f"/jobs/{job.pk}/"
    assert client.get(f"/customers/export/{job.pk}/").status_code == 404
    jobs.run(job.pk)
    assert f"/customers/export/{job.pk}/" in client.get(f"/jobs/{job.pk}/").content.decode()
    file = client.get(f"/customers/export/{job.pk}/")
    assert len(rows(file.getvalue().decode())) == 31
    assert signed_in("administrator").get(f"/customers/export/{job.pk}/").status_code == 404
    assert client.get(f"/customers/export/{uuid.uuid4()}/").status_code == 404


@pytest.mark.django_db
def test_files_of_exports_have_an_end(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    fresh, old, running = (
        Job.objects.create(kind="customers.export", title="Export", state=state)
        for state in ("done", "done", "running")
    )
    for row, days in ((fresh, 6), (old, 8)):
        Job.objects.filter(pk=row.pk).update(finished_at=clock.now() - timedelta(days=days))
    exporting.path_of(old).parent.mkdir()
    files = [exporting.path_of(row) for row in (fresh, old)] + [exporting.path_of(running).with_suffix(".part")]
    of_nobody = exporting.path_of(Job())
    for path in (*files, of_nobody):
        path.write_text("id\n")
    look_again()
    assert [path.exists() for path in (*files, of_nobody)] == [True, False, True, False]


def test_only_who_looks_after_customers_can_own_them(signed_in: SignIn) -> None:
    ada, client = customer("ada"), signed_in("account_manager")
    signed_in("analyst")
    analyst = User.objects.get(role="analyst")
    ask(client, "owner", value=analyst.pk, pick=[ada.pk])
    page = client.post("/customers/change/", {"action": "owner", "pick": [ada.pk]}).content.decode()
    assert f'<option value="{analyst.pk}"' not in page
    assert f'<option value="{User.objects.get(role="account_manager").pk}"' in page
    assert ask(client, "owner", value="", pick=[ada.pk]).status_code == 422
    ada.refresh_from_db()
    assert ada.owner is None


def both_done() -> int:
    """Of two cases, how many are resolved by a change to both while somebody takes their customers in order.

    The older case is the second customer's, so that in the order of cases each would wait for the other.
    """
    first, second = customer("first"), customer("second")
    cases = [
        Case.objects.create(customer=who, external_id=who.external_id, subject="Late", opened_at=clock.now())
        for who in (second, first)
    ]
    change = changing.begin("cases", "resolve", "", None)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=first.pk)
        other = elsewhere(lambda: changing.apply(change, [case.pk for case in cases]))
        until(lambda: waiting() == 1)
        Customer.objects.select_for_update().get(pk=second.pk)
    other.join()
    return Case.objects.filter(state="resolved").count()


@pytest.mark.django_db(transaction=True)
def test_changing_many_takes_customers_in_the_order_in_which_everybody_does() -> None:
    assert both_done() == 2
    ada = customer("ada")
    change = changing.begin("customers", "tag", "vip", None)
    with transaction.atomic():  # and keeps nobody waiting who writes about them
        record([Happening(ada.pk, "usage", clock.now())])
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # it is held to be there from here on
        other = elsewhere(lambda: changing.apply(change, [ada.pk]))
        until(lambda: waiting() == 1 or not other.is_alive())
        assert not other.is_alive()
    ada.refresh_from_db()
    assert ada.tags == ["vip"]
