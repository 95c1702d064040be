"""The pages under /data/, without a browser: what they answer, refuse, and how many queries they take."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from customers.ingest.imports import StillRunning, remap, remove, start, take_in
from customers.models import Customer, Event, Import, ImportMapping, RejectedRow
from retention.common import clock
from retention.workspace import jobs
from retention.workspace.models import Job
from tests.baseline import assert_query_count
from tests.customers.custom.defining import a_field
from tests.customers.ingest.bringing import CUSTOMERS, ORDERS, again, bring, mapping
from tests.customers.known import customer

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
TEXT = b"customer_id,name,email,joined_at,tags,consent\n1,Ann,ann@example.test,2024-05-01,,\n"


@pytest.fixture
def client(signed_in: SignIn) -> Client:
    return signed_in("account_manager")


def upload(client: Client, content: bytes = TEXT, **fields: str) -> Import:
    data = {
        "kind": "",
        "mapping": "",
        "encoding": "utf-8",
        "file": SimpleUploadedFile("my file.csv", content),
        **fields,
    }
    response = client.post("/data/new/", data)
    imported = Import.objects.latest("pk")
    assert response.status_code == 302, response.context["form"].errors
    assert response["Location"] == f"/data/{imported.pk}/mapping/"
    return imported


KEPT = {"dates": "iso", "decimal": "point", "policy": "both", "match": "customer_id"}
FILLED = {**KEPT, "customer_id_column": "customer_id", "name_column": "name"}


def test_it_works(client: Client) -> None:
    imported = upload(client)
    assert (imported.kind, imported.filename) == ("customers", "my file.csv")
    page = client.get(f"/data/{imported.pk}/mapping/")
    assert page.context["form"]["email_column"].initial == "email"
    response = client.post(f"/data/{imported.pk}/mapping/", {**FILLED, "save_as": "Mine", "email_text": "c{name}@x.de"})
    assert response["Location"] == f"/data/{imported.pk}/"
    assert ImportMapping.objects.get().spec["fields"]["email"] == {"text": "c{name}@x.de"}
    jobs.run(jobs.due()[0])
    assert "nothing is brought in yet" in client.get(f"/data/{imported.pk}/").content.decode()
    assert not Customer.objects.exists()
    client.post(f"/data/{imported.pk}/start/")
    jobs.run(jobs.due()[0])
    assert Customer.objects.get().email == "cAnn@x.de"
    assert "brought in" in client.get(f"/data/{imported.pk}/").content.decode()


def test_a_saved_mapping_or_an_example_is_chosen_by_name(client: Client, shared: Path) -> None:
    content = (shared / "cdnow" / "CDNOW_sample.txt").read_bytes()[:2_000]
    imported = upload(client, content, mapping="cdnow_sample")
    assert imported.kind == "order_lines"
    page = client.get(f"/data/{imported.pk}/mapping/")
    assert page.context["form"]["order_id_text"].initial == "cdnow-{customer}-{date}"
    response = client.post(
        "/data/new/",
        {
            "file": SimpleUploadedFile("x.csv", b"a\n1\n"),
            "mapping": "cdnow_sample",
            "kind": "customers",
            "encoding": "utf-8",
        },
    )
    assert response.context["form"].errors["mapping"] == ["This mapping reads order lines."]


def test_what_is_wrong_is_told_beside_its_field(client: Client) -> None:
    imported = upload(client)
    url = f"/data/{imported.pk}/mapping/"
    wrong = {**KEPT, "name_column": "name", "name_text": "x", "email_text": "{mail}"}
    errors = client.post(url, wrong).context["form"].errors
    assert errors == {"name_text": ["Choose a column or write a text, not both."]}
    errors = client.post(url, {**wrong, "name_text": ""}).context["form"].errors
    assert errors == {
        "customer_id_column": [
            "Customer id is needed: choose its column, or say below that customers are told apart by E-mail."
        ],
        "email_text": ["The file has no column mail; it has customer_id, name, email, joined_at, tags, consent."],
    }
    assert not jobs.due()


def test_the_preview_keeps_nothing(client: Client) -> None:
    imported = upload(client, TEXT + b",Nobody,,,,\n")
    html = client.post(f"/data/{imported.pk}/preview/", FILLED).content.decode()
    assert "Ann" in html
    assert "Refused: Customer id: there is none." in html
    assert (
        "is needed"
        in client.post(f"/data/{imported.pk}/preview/", {**FILLED, "customer_id_column": ""}).content.decode()
    )
    assert not Customer.objects.exists()
    assert not Job.objects.exists()


def test_a_file_that_cannot_be_read_says_why_and_can_be_read_otherwise(client: Client) -> None:
    imported = upload(client, "id;name\n1;Zoë\n".encode("latin-1"), kind="customers")
    html = client.get(f"/data/{imported.pk}/mapping/").content.decode()
    assert "Line 2 is not UTF-8: byte 0xEB at position 5." in html
    assert '<option value="semicolon" selected>' in html
    client.post(f"/data/{imported.pk}/layout/", {"kind": "customers", "delimiter": "semicolon", "encoding": "latin-1"})
    assert "Zoë" in client.get(f"/data/{imported.pk}/mapping/").content.decode()


def test_utf8_that_is_said_to_be_something_else_is_pointed_out(client: Client) -> None:
    long = TEXT + b"".join(b"%d,Ann,,,,\n" % number for number in range(2, 20_000))
    for encoding, content, warned in (
        ("latin-1", long + "3,Zoë,,,,\n".encode(), True),
        ("cp1252", TEXT + "3,Zoë,,,,\n".encode("cp1252"), False),
        ("latin-1", TEXT, False),
        ("utf-8", TEXT + "3,Zoë,,,,\n".encode(), False),
    ):
        page = client.get(f"/data/{upload(client, content, encoding=encoding).pk}/mapping/")
        assert ("written in UTF-8" in page.content.decode()) is warned, (encoding, warned)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04"])
def test_files_that_are_none(client: Client, content: bytes) -> None:
    data = {"encoding": "utf-8", "file": SimpleUploadedFile("x.csv", content)}
    response = client.post("/data/new/", data, follow=True)
    assert "has something in it" in response.content.decode() or "save it as" in response.content.decode()


@override_settings(UPLOAD_LIMIT=1_000)
def test_a_file_that_is_too_large(client: Client) -> None:
    data = {"encoding": "utf-8", "file": SimpleUploadedFile("x.csv", b"x" * 1_001)}
    response = client.post("/data/new/", data)
    assert response.context["form"].errors["file"] == ["Choose a file of at most 1000\xa0bytes."]
    assert not Import.objects.exists()


def test_refused_rows_go_out_harmless(client: Client) -> None:
    _, taken = bring(mapping(CUSTOMERS), TEXT + b"=cmd|'/c calc'!A1,x\n@x,y\n")
    response = client.get(f"/data/{taken.pk}/refused.csv")
    assert response["Content-Disposition"] == f'attachment; filename="refused-{taken.pk}.csv"'
    chunks: Iterator[bytes] = iter(response.streaming_content)  # type: ignore[attr-defined]
    rows = list(csv.reader(io.StringIO(b"".join(chunks).decode("utf-8-sig"))))
    reason = "It has 2 values, and the file 6 columns."
    assert rows == [["Line", "Reason", "Original"], ["3", reason, "'=cmd|'/c calc'!A1,x"], ["4", reason, "'@x,y"]]


def test_a_running_import_is_left_alone(client: Client) -> None:
    imported = upload(client)
    start(imported, dry_run=True)
    for part in ("start", "remove"):
        assert client.post(f"/data/{imported.pk}/{part}/", follow=True).status_code == 200
    client.post(f"/data/{imported.pk}/mapping/", FILLED)
    assert Job.objects.count() == 1
    assert Import.objects.get().spec == imported.spec


def test_orders_in_another_currency_are_pointed_out(client: Client) -> None:
    for currency, told in (("EUR", False), ("JPY", True)):
        text = f"order_id,customer_id,ordered_at,amount,currency,email\n{currency},7,2024-05-01,9,{currency},\n"
        job, _ = bring(mapping(ORDERS), text)
        assert ("nothing is converted" in client.get(f"/jobs/{job.pk}/").content.decode()) is told


def test_what_somebody_else_began_meanwhile_is_left_alone(client: Client) -> None:
    seen_before = upload(client)
    start(Import.objects.get(pk=seen_before.pk), dry_run=False)
    with pytest.raises(StillRunning):
        remap(seen_before, mapping(ORDERS))
    with pytest.raises(StillRunning):
        remove(seen_before)
    assert Import.objects.get().kind == "customers"


def test_what_was_tried_is_what_is_brought_in(client: Client) -> None:
    """Of two at one file, the one looks at a trial while the other tries it in another way."""
    imported = upload(client)

    def tried(**more: str) -> str:
        client.post(f"/data/{imported.pk}/mapping/", {**FILLED, **more})
        jobs.run(jobs.due()[0])
        found = re.search(r'name="tried" value="([^"]+)"', client.get(f"/data/{imported.pk}/").content.decode())
        assert found
        return found[1]

    seen, latest = tried(), tried(name_text="Somebody", name_column="")
    said = client.post(f"/data/{imported.pk}/start/", {"tried": seen}, follow=True).content.decode()
    assert "Somebody else tried this file in another way meanwhile." in said
    assert not jobs.due()
    client.post(f"/data/{imported.pk}/start/", {"tried": latest})
    jobs.run(jobs.due()[0])
    assert Customer.objects.get().name == "Somebody"


def test_a_file_is_removed_and_what_it_brought_stays(
    client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    _, taken = bring(mapping(CUSTOMERS), TEXT + b"x\n")
    path = Path(taken.file.path)
    assert path.exists()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/data/{taken.pk}/remove/")
    assert not path.exists()
    assert not Import.objects.exists()
    assert not RejectedRow.objects.exists()
    assert Customer.objects.count() == 1


def test_names_from_files_are_text(client: Client) -> None:
    imported = upload(client, b"customer_id,<script>alert(1)</script>\n1,<img src=x onerror=alert(2)>\n")
    for html in (
        client.get(f"/data/{imported.pk}/mapping/").content.decode(),
        client.post(
            f"/data/{imported.pk}/preview/", {**FILLED, "name_column": "<script>alert(1)</script>"}
        ).content.decode(),
    ):
        assert "<img src=x" not in html
        assert "<script>alert" not in html
        assert "&lt;img src=x" in html


def test_pages_take_a_fixed_number_of_queries(client: Client) -> None:
    for rows in (1, 60):
        _, taken = bring(mapping(CUSTOMERS), TEXT + b"x\n" * rows)
        assert_query_count("imports", client, "/data/")
    assert_query_count("import", client, f"/data/{taken.pk}/")
    assert_query_count("import mapping", client, f"/data/{taken.pk}/mapping/")
    assert_query_count("import refused", client, f"/data/{taken.pk}/refused/")
    with taken.file.storage.open(str(taken.file.name), "wb") as file:
        file.write(TEXT.replace(b"Ann,", b"Anna,"))
    again(taken, dry_run=True)
    assert_query_count("import changes", client, f"/data/{taken.pk}/changes/")
    assert_query_count("import kept", client, f"/data/{taken.pk}/kept/")


def test_two_files_of_one_name_are_kept_apart(client: Client) -> None:
    one, two = (take_in(io.BytesIO(TEXT), "x.csv", mapping(CUSTOMERS)) for _ in range(2))
    assert one.file.path != two.file.path


def test_columns_of_states_and_those_that_nothing_reads_are_told(client: Client) -> None:
    text = (
        b"order_id,customer_id,date,amount,status,note\nA1,1,2024-05-01,5,completed,\nA2,1,2024-05-32,5,cancelled,x\n"
    )
    imported = upload(client, text)
    page = client.get(f"/data/{imported.pk}/mapping/").content.decode()
    assert "“completed” 1 time, “cancelled” 1 time." in page
    form = client.get(f"/data/{imported.pk}/mapping/").context["form"]
    assert form["rule0_value"].initial == "cancelled"
    filled = {field.html_name: field.value() or "" for field in form if field.html_name != "whole_numbers"}
    shown = client.post(f"/data/{imported.pk}/preview/", filled).content.decode()
    assert "Not used: note." in shown
    client.post(f"/data/{imported.pk}/mapping/", filled)
    jobs.run(jobs.due()[0])
    tried = client.get(f"/data/{imported.pk}/").content.decode()
    assert "2 rows read = 1 order + 0 repeated in the file + 1 refused" in tried
    assert "Not used: note." in tried


def test_examples_are_offered_as_such(client: Client) -> None:
    ImportMapping.objects.create(name="Mine", kind="orders", spec={})
    page = client.get("/data/new/").content.decode()
    assert '<option value="Mine">Mine</option>' in page
    assert '<option value="online_retail">Example: online retail</option>' in page


def test_a_trial_shows_what_would_change_and_an_undo_is_tried_before_it_is_done(client: Client) -> None:
    bring(mapping(CUSTOMERS), TEXT)
    job, taken = bring(mapping(CUSTOMERS), TEXT.replace(b"Ann,ann", b"Anna,anna") + b"2,Ben,,,,\n", dry_run=True)
    assert job.summary["fields"] == {"customers": {"Name": 1, "E-mail": 1}}
    assert "Customers would change in" in client.get(f"/data/{taken.pk}/").content.decode()
    page = client.get(f"/data/{taken.pk}/changes/")
    ((example, fields),) = page.context["shown"]
    assert (example.name, [(one.label, one.before, one.after) for one in fields]) == (
        "Anna",
        [("Name", "Ann", "Anna"), ("E-mail", "ann@example.test", "anna@example.test")],
    )
    assert Customer.objects.get().name == "Ann"
    again(taken)
    assert "Undo the import" in client.get(f"/data/{taken.pk}/").content.decode()
    Customer.objects.filter(name="Ben").update(phone="1", updated_at=clock.now())
    client.post(f"/data/{taken.pk}/undo/", {"try": "1"})
    jobs.run(jobs.due()[0])
    tried = client.get(f"/data/{taken.pk}/").content.decode()
    assert "nothing is taken back yet" in tried
    assert "See what would stay" in tried
    staying = client.get(f"/data/{taken.pk}/kept/").content.decode()
    assert "It was changed after the file came in." in staying
    assert "Undo what can be undone now" not in staying
    client.post(f"/data/{taken.pk}/undo/")
    jobs.run(jobs.due()[0])
    assert "See what stays" in client.get(f"/data/{taken.pk}/").content.decode()
    assert "It was changed after the file came in." in client.get(f"/data/{taken.pk}/kept/").content.decode()
    assert set(Customer.objects.values_list("name", flat=True)) == {"Ann", "Ben"}


def test_a_trial_tells_money_as_money(client: Client) -> None:
    a_field("budget", "money")
    a_field("seats", "number")
    customer("7", attributes={"budget": 100.5, "seats": 3})
    fields = {"customer_id": {"column": "id"}, "custom_budget": {"column": "b"}, "custom_seats": {"column": "s"}}
    _, taken = bring(mapping(CUSTOMERS, fields=fields), "id,b,s\n7,999,4\n", dry_run=True)
    ((_, told),) = client.get(f"/data/{taken.pk}/changes/").context["shown"]
    assert sorted((one.label, one.before, one.after) for one in told) == [
        ("Budget", "100.50 EUR", "999.00 EUR"),
        ("Seats", "3", "4"),
    ]


def test_only_who_may_import_may_undo(signed_in: SignIn) -> None:
    _, taken = bring(mapping(CUSTOMERS), TEXT)
    for path in ("undo", "kept", "changes"):
        assert signed_in("analyst").post(f"/data/{taken.pk}/{path}/").status_code in (403, 404, 405)
    assert Customer.objects.count() == 1


def test_other_columns_are_kept_as_what_events_say(client: Client) -> None:
    customer("acme")
    imported = upload(client, b"customer_id,event,timestamp,plan\nacme,Came,2024-05-01T10:00:00Z,Pro\n")
    page = client.get(f"/data/{imported.pk}/mapping/")
    assert "They become what the event says, under their own names." in page.content.decode()
    columns = {"customer_id_column": "customer_id", "what_column": "event", "occurred_at_column": "timestamp"}
    client.post(f"/data/{imported.pk}/mapping/", {**KEPT, **columns, "attributes": ["plan"]})
    jobs.run(jobs.due()[0])
    client.post(f"/data/{imported.pk}/start/")
    jobs.run(jobs.due()[0])
    assert Event.objects.get(kind="reported").payload == {"plan": "Pro", "name": "Came"}
    assert "Events" in client.get(f"/data/{imported.pk}/").content.decode()
