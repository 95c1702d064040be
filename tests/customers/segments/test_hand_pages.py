"""The pages for deciding by hand: one customer, a file, a list, undoing; who may."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from customers.facts import dirty
from customers.models import Customer, HandChange, HandPick, Segment
from customers.segments import consequences, list_job, membership
from customers.segments.consequences import Consequence
from customers.segments.rules import NOBODY
from retention.workspace import jobs
from retention.workspace.models import Job
from tests.baseline import assert_query_count
from tests.customers.facts.world import customer
from tests.customers.router import route
from tests.customers.segments.test_membership import inside

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
SignIn = Callable[[str], Client]


@pytest.fixture
def people(at: Callable[[datetime], None]) -> list[Customer]:
    """Three customers, the first of them French."""
    at(NOW)
    made = [customer(number) for number in range(3)]
    Customer.objects.filter(pk=made[0].pk).update(country="France")
    Customer.objects.filter(pk=made[1].pk).update(email="ann@example.test")
    dirty.mark([who.id for who in made])
    route()
    return made


@pytest.fixture
def french(people: list[Customer]) -> Segment:
    one = Segment.objects.create(name="French", rule={"field": "country", "op": "is", "value": "France"})
    membership.refresh()
    return one


def text_of(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def a_file(content: bytes, name: str = "fair.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "text/csv")


def test_it_works(signed_in: SignIn, people: list[Customer], french: Segment) -> None:
    """Put in with a reason, seen on the segment's page and in the explanation, then undone."""
    client, page = signed_in("account_manager"), f"/segments/{french.pk}/by-hand/"
    said = {"customer": "ann@example.test", "act": "in", "reason": "Met at the fair"}
    assert client.post(f"{page}customer/", said).status_code == 302
    assert inside(french) == {people[0].id, people[1].id}
    assert "1 decided by hand" in text_of(client, f"/segments/{french.pk}/")
    why = text_of(client, f"/segments/{french.pk}/why/{people[1].pk}/")
    assert "Put in by hand" in why
    assert "Met at the fair" in why
    assert "The rule would have it out" in why
    change = HandChange.objects.get()
    assert client.post(f"{page}{change.pk}/undo/").status_code == 302
    assert inside(french) == {people[0].id}
    assert "undone" in text_of(client, page)


def test_the_explanation_offers_to_decide(signed_in: SignIn, people: list[Customer], french: Segment) -> None:
    client, who = signed_in("marketer"), people[0]
    client.post(f"/segments/{french.pk}/by-hand/customer/{who.pk}/", {"act": "out", "reason": "Asked us to"})
    assert inside(french) == set()
    assert "Kept out by hand" in text_of(client, f"/segments/{french.pk}/why/{who.pk}/")
    client.post(f"/segments/{french.pk}/by-hand/customer/{who.pk}/", {"act": "rule"})
    assert inside(french) == {who.id}
    client.post(f"/segments/{french.pk}/by-hand/customer/{who.pk}/", {"act": "drop"})
    assert inside(french) == {who.id}


def test_a_list_from_a_file_with_what_was_not_found(signed_in: SignIn, people: list[Customer]) -> None:
    client = signed_in("marketer")
    said = {"name": "Fair", "file": a_file(b"email\nANN@example.test\nnobody@example.test\n=cmd()\n")}
    response = client.post("/segments/new-list/", said, follow=True)
    one = Segment.objects.get()
    assert response.redirect_chain == [(f"/segments/{one.pk}/by-hand/", 302)]
    assert (one.rule, one.size, inside(one)) == (NOBODY, 1, {people[1].id})
    change = HandChange.objects.get()
    missing = client.get(f"/segments/{one.pk}/by-hand/{change.pk}/not-found/")
    assert missing.content.decode() == "nobody@example.test\r\n'=cmd()\r\n"
    assert missing["Content-Disposition"].startswith("attachment")
    told = client.post(f"/segments/{one.pk}/by-hand/file/", {"act": "in", "file": a_file(b"c2\nnobody\n")}, follow=True)
    assert "1 entry is nobody" in told.content.decode()
    assert inside(one) == {people[1].id, people[2].id}
    client.post(f"/segments/{one.pk}/by-hand/customer/", {"customer": "c2", "act": "rule"})
    assert inside(one) == {people[1].id}
    assert "This is a list" not in text_of(client, f"/segments/{one.pk}/edit/")


def test_a_list_keeps_its_name_and_can_be_given_a_rule(signed_in: SignIn, people: list[Customer]) -> None:
    client = signed_in("marketer")
    client.post("/segments/new-list/", {"name": "Fair", "file": a_file(b"c1\n")})
    one = Segment.objects.get()
    assert client.post(f"/segments/{one.pk}/edit/", {"name": "Fair 2026", "description": ""}).status_code == 302
    one.refresh_from_db()
    assert (one.name, one.rule) == ("Fair 2026", NOBODY)
    row = {"node": "r-0:row", "r-0.field": "country", "r-0.op": "is", "r-0.value": "France"}
    assert client.post(f"/segments/{one.pk}/edit/", {"name": "Fair 2026", **row}).status_code == 302
    assert inside(one) == {people[0].id, people[1].id}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"customer": "nobody", "act": "in"}, "Nobody goes by that"),
        ({"customer": "Customer", "act": "in"}, "Several customers go by that"),
        ({"customer": "", "act": "in"}, "This field is required"),
        ({"customer": "c1", "act": "drop"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_decided_is_told(signed_in: SignIn, french: Segment, said: dict[str, str], told: str) -> None:
    response = signed_in("marketer").post(f"/segments/{french.pk}/by-hand/customer/", said)
    assert response.status_code == 422
    assert told in response.content.decode()
    assert not HandChange.objects.exists()


def test_a_file_that_is_no_list_is_refused_and_loses_nothing(signed_in: SignIn, french: Segment) -> None:
    client = signed_in("marketer")
    response = client.post(f"/segments/{french.pk}/by-hand/file/", {"act": "in", "reason": "x", "file": a_file(b"\0")})
    assert response.status_code == 422
    assert "no text file" in response.content.decode()
    response = client.post("/segments/new-list/", {"name": "Kept", "file": a_file(b"caf\xe9")})
    assert response.status_code == 422
    assert 'value="Kept"' in response.content.decode()
    assert not HandPick.objects.exists()
    assert Segment.objects.count() == 1


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(list_job, "_folder", lambda: tmp_path)
    return tmp_path


def large(*first: str) -> SimpleUploadedFile:
    """Too large to be read while somebody waits."""
    nobody = (f"nobody{number}@example.test" for number in range(9_000))
    return a_file("\n".join(["email", *first, *nobody]).encode())


def test_a_large_file_goes_as_a_job(signed_in: SignIn, people: list[Customer], french: Segment, files: Path) -> None:
    client = signed_in("marketer")
    response = client.post(f"/segments/{french.pk}/by-hand/file/", {"act": "in", "file": large("ann@example.test")})
    job = Job.objects.get()
    assert response.headers["Location"] == f"/jobs/{job.pk}/"
    assert inside(french) == {people[0].id}
    jobs.run(job.pk)
    assert inside(french) == {people[0].id, people[1].id}
    change = HandChange.objects.get()
    assert (change.customers, len(change.unmatched), change.file_name) == (1, 9_000, "fair.csv")
    page = text_of(client, f"/jobs/{job.pk}/")
    assert "1 customer of the file was found, and 1 of them changed by it." in page
    assert f"/by-hand/{change.pk}/not-found/" in page
    assert not list(files.iterdir())
    jobs.run(jobs.enqueue(list_job.JOB, "Again", job.spec).pk)
    assert "no longer there" in Job.objects.get(title="Again").error


def test_a_large_new_list(signed_in: SignIn, people: list[Customer], files: Path) -> None:
    signed_in("marketer").post("/segments/new-list/", {"name": "Fair", "file": large("c1", "c2")})
    jobs.run(Job.objects.get().pk)
    assert inside(Segment.objects.get()) == {people[1].id, people[2].id}


def test_a_large_file_by_which_mail_would_go_out_asks_first(
    signed_in: SignIn, people: list[Customer], french: Segment, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Consequence("The campaign", "Win back", "/campaigns/1/", 1, "would get its e-mail now")
    monkeypatch.setattr(consequences, "_foreseeing", [lambda _segment, entering: [mail] if entering() else []])
    client, page = signed_in("marketer"), f"/segments/{french.pk}/by-hand/file/"
    client.post(page, {"act": "in", "file": large("ann@example.test")})
    asked = Job.objects.get()
    jobs.run(asked.pk)
    assert inside(french) == {people[0].id}
    assert "mail would go out" in text_of(client, f"/jobs/{asked.pk}/")
    agree = f"/segments/by-hand/agree/{asked.pk}/"
    assert signed_in("account_manager").post(agree, {"agreed": "1"}).status_code == 403
    assert client.post(agree, {"agreed": "1"}).status_code == 302
    jobs.run(Job.objects.exclude(pk=asked.pk).get().pk)
    assert inside(french) == {people[0].id, people[1].id}
    client.post(agree, {"agreed": "1"})
    assert Job.objects.count() == 2


def test_the_analyst_reads_and_changes_nothing(signed_in: SignIn, people: list[Customer], french: Segment) -> None:
    signed_in("marketer").post(f"/segments/{french.pk}/by-hand/customer/", {"customer": "c1", "act": "in"})
    change, client, page = HandChange.objects.get(), signed_in("analyst"), f"/segments/{french.pk}/by-hand/"
    assert "Undo" not in text_of(client, page)
    assert client.get(f"{page}{change.pk}/not-found/").status_code == 200
    assert client.get("/segments/new-list/").status_code == 403
    posts = ["customer/", "file/", f"{change.pk}/undo/", f"customer/{people[0].pk}/"]
    assert [client.post(f"{page}{path}").status_code for path in posts] == [403] * 4
    assert [client.get(f"{page}{path}").status_code for path in posts] == [405] * 4


def test_the_page_takes_a_fixed_number_of_queries(signed_in: SignIn, people: list[Customer], french: Segment) -> None:
    client, page = signed_in("marketer"), f"/segments/{french.pk}/by-hand/"
    for who in people:
        client.post(f"{page}customer/", {"customer": who.external_id, "act": "out"})
    client.get("/")  # shows the messages
    assert_query_count("segment by hand", client, page)
    assert_query_count("segment by hand", client, page)
