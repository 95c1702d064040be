"""Logging what was talked about: the form, what follows, changes with what stood before, and who may."""

import contextlib
import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from customers.interactions.keeping import mentioned_in, nobodys, plain_name
from customers.interactions.sniffing import LARGEST, FileRefused, content_type, named_as
from customers.models import Attachment, Customer, Event, Interaction, InteractionBefore, Task
from retention.common import clock
from retention.workspace.models import User, Workspace
from tests.baseline import assert_query_count
from tests.customers.known import customer

SignIn = Callable[[str], Client]
PDF = b"%PDF-1.7\n..."


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def typed(**more: Any) -> dict[str, Any]:
    at = clock.now() - timedelta(hours=1)
    return {"kind": "call", "text": "They want to renew.", "happened_at": at.strftime("%Y-%m-%dT%H:%M"), **more}


def log(client: Client, at: Customer, **more: Any) -> Interaction:
    assert client.post(f"/customers/{at.pk}/interactions/new/", typed(**more)).status_code == 302
    return Interaction.objects.order_by("-pk").first()  # type: ignore[return-value]


def opened(client: Client, made: Interaction) -> str:
    page = client.get(f"/customers/interactions/{made.pk}/edit/").content.decode()
    found = re.search(r'name="opened" value="([^"]+)"', page)
    assert found
    return found[1]


def test_it_works(signed_in: SignIn) -> None:
    acme, client = customer("acme", name="Acme"), signed_in("account_manager")
    assert "Nothing logged yet" in client.get(f"/customers/{acme.pk}/interactions/").content.decode()
    form = client.get(f"/customers/{acme.pk}/interactions/new/?kind=call").content.decode()
    assert re.search(r'value="call"[^>]*checked', form)
    made = log(
        client, acme, outcome="Will renew", sentiment="good", next_step="Send the contract", next_on="2099-01-15"
    )
    me = User.objects.get(role="account_manager")
    assert (made.author, made.outcome, made.sentiment) == (me, "Will renew", "good")
    task = Task.objects.get()
    assert (task.title, task.assignee, task.due_at.date().isoformat()) == ("Send the contract", me, "2099-01-15")
    panel = client.get(f"/customers/{acme.pk}/interactions/", headers={"HX-Request": "true"}).content.decode()
    for words in ("They want to renew.", "Will renew", "Send the contract by 15 Jan 2099"):
        assert words in panel
    page = client.get(f"/customers/{acme.pk}/?show=Interactions").content.decode()
    assert "logged a call" in page
    assert f'href="/customers/interactions/{made.pk}/"' in page


def test_whoever_is_mentioned_has_it_on_today(signed_in: SignIn) -> None:
    acme, client = customer("acme", name="Acme"), signed_in("account_manager")
    boss = signed_in("administrator")
    made = log(client, acme, text="Ask @administrator, not @administrators or me@administrator.example.")
    assert [user.email for user in made.mentioned.all()] == ["administrator@example.test"]
    page = boss.get("/today/").content.decode()
    assert f"Answer {made.author}" in page
    assert "Ask @administrator, not" in page
    said = typed(text="Ask @administrator again.", opened=opened(client, made))
    client.post(f"/customers/interactions/{made.pk}/edit/", said)
    assert Task.objects.count() == 1


@pytest.mark.parametrize("role", ["analyst", "marketer"])
def test_who_may_not_edit_reads_only(role: str, signed_in: SignIn) -> None:
    acme = customer("acme")
    made = log(signed_in("account_manager"), acme)
    client = signed_in(role)
    assert "They want to renew." in client.get(f"/customers/interactions/{made.pk}/").content.decode()
    assert "Log" not in client.get(f"/customers/{acme.pk}/interactions/").content.decode()
    for url in (f"{acme.pk}/interactions/new", f"interactions/{made.pk}/edit"):
        assert client.get(f"/customers/{url}/").status_code == 403
        assert client.post(f"/customers/{url}/", typed()).status_code == 403
    assert client.post(f"/customers/interactions/{made.pk}/act/", {"do": "remove"}).status_code == 403
    assert Client().get(f"/customers/interactions/{made.pk}/").status_code == 302


def test_only_the_author_changes_it_and_what_stood_is_kept(signed_in: SignIn) -> None:
    acme, client, other = customer("acme"), signed_in("account_manager"), signed_in("administrator")
    made = log(client, acme)
    assert other.get(f"/customers/interactions/{made.pk}/edit/").status_code == 403
    assert other.post(f"/customers/interactions/{made.pk}/act/", {"do": "remove"}).status_code == 403
    said = typed(text="They want to leave.", sentiment="bad", opened=opened(client, made))
    assert client.post(f"/customers/interactions/{made.pk}/edit/", said).status_code == 302
    before = InteractionBefore.objects.get()
    assert before.said["text"] == "They want to renew."
    assert "sentiment" in before.said
    page = other.get(f"/customers/interactions/{made.pk}/").content.decode()
    assert "They want to leave." in page
    assert "They want to renew." in page


def test_the_second_of_two_saves_is_told_and_loses_nothing(signed_in: SignIn) -> None:
    acme, client = customer("acme"), signed_in("account_manager")
    made = log(client, acme)
    stamp = opened(client, made)
    url = f"/customers/interactions/{made.pk}/edit/"
    client.post(url, typed(text="From the train.", opened=stamp))
    response = client.post(url, typed(text="From the desk.", opened=stamp))
    page = response.content.decode()
    assert response.status_code == 422
    assert "It says now: From the train." in page
    assert "From the desk." in page
    again = re.search(r'name="opened" value="([^"]+)"', page)
    assert again
    assert client.post(url, typed(text="From the desk.", opened=again[1])).status_code == 302
    made.refresh_from_db()
    assert made.text == "From the desk."


def test_what_nobody_here_wrote_is_changed_by_whoever_edits_customers(signed_in: SignIn) -> None:
    made = log(signed_in("account_manager"), customer("acme"))
    Interaction.objects.update(author=None, source="Mia Before · calls.csv")
    other, reader = signed_in("administrator"), signed_in("analyst")
    page = f"/customers/interactions/{made.pk}/"
    assert f"{page}edit/" in other.get(page).content.decode()
    assert f"{page}edit/" not in reader.get(page).content.decode()
    said = typed(text="They want two.", opened=opened(other, made))
    assert other.post(f"{page}edit/", said).status_code == 302
    assert other.post(f"{page}act/", {"do": "remove"}).status_code == 302
    assert "those who edit customers" in other.get(page).content.decode()
    assert (reader.get(page).status_code, reader.post(f"{page}act/", {"do": "restore"}).status_code) == (404, 403)
    assert other.post(f"{page}act/", {"do": "restore"}).status_code == 302
    made.refresh_from_db()
    assert (made.text, made.removed_at, made.author) == ("They want two.", None, None)


def test_what_is_removed_is_there_for_its_author_alone(signed_in: SignIn) -> None:
    acme, client, other = customer("acme"), signed_in("account_manager"), signed_in("analyst")
    made = log(client, acme, attached=SimpleUploadedFile("a.pdf", PDF))
    file = f"/customers/attachments/{Attachment.objects.get().pk}/"
    act = f"/customers/interactions/{made.pk}/act/"
    assert "Bring it back" in client.post(act, {"do": "remove"}, follow=True).content.decode()
    assert "They want" not in client.get(f"/customers/{acme.pk}/interactions/").content.decode()
    for url in (f"/customers/interactions/{made.pk}/", file):
        assert other.get(url).status_code == 404
        assert client.get(url).status_code == 200
    gone = other.get(f"/customers/interactions/{made.pk}/").content.decode()
    assert ("was taken away" in gone, f'href="/customers/{acme.pk}/"' in gone, made.text in gone) == (True, True, False)
    client.post(act, {"do": "restore"})
    assert other.get(file).status_code == 200
    assert [row.kind for row in Event.objects.filter(kind__startswith="interaction").order_by("id")] == [
        "interaction.logged", "interaction.removed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"text": " "}, "text", "required"),
        ({"kind": "fax"}, "kind", "not one of the available choices"),
        ({"happened_at": "2099-01-01T10:00"}, "happened_at", "It has not happened yet."),
        ({"next_step": "Call", "next_on": "soon"}, "next_on", "Enter a valid date."),
        ({"next_on": "2099-01-01"}, "next_step", "Say what is to be done by that day."),
    ],
)
def test_a_mistake_is_told_beside_its_field(said: dict[str, str], field: str, words: str, signed_in: SignIn) -> None:
    acme = customer("acme")
    response = signed_in("account_manager").post(
        f"/customers/{acme.pk}/interactions/new/", typed(outcome="Mine") | said
    )
    page = response.content.decode()
    assert f'id="id_{field}_error"' in page
    assert words in page
    assert 'value="Mine"' in page
    assert not Interaction.objects.exists()


def test_a_next_step_without_a_day_is_due_in_a_week(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the company's calendar, on which the next day has begun."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 5, 1, 20, tzinfo=UTC))
    Workspace.objects.update(time_zone="Asia/Tokyo")
    acme, client = customer("acme"), signed_in("account_manager")
    url = f"/customers/{acme.pk}/interactions/new/"
    assert "Empty: in a week." in client.get(url).content.decode()
    said = typed(text="@nobody", next_step="Call back", happened_at="2026-05-01T10:00")
    page = client.post(url, said, follow=True).content.decode()
    assert "The next step is a task of yours, by 9 May 2026. Nobody who could be told is called @nobody." in page
    assert Interaction.objects.get().next_on == date(2026, 5, 9)
    assert Task.objects.get(title="Call back").due_at.astimezone(ZoneInfo("Asia/Tokyo")).date() == date(2026, 5, 9)


def office(part: str, *more: str) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name in (part, *more):
            archive.writestr(name, "<x/>")
    return into.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "application/pdf"), (b"\x89PNG\r\n\x1a\n...", "image/png"), (b"RIFF....WEBPVP8", "image/webp"),
        ("Grüße\n".encode(), "text/plain"), (b"<script>alert(1)</script>", "text/plain"),
        (office("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)  # fmt: skip
def test_a_file_is_told_by_its_bytes(content: bytes, kind: str) -> None:
    assert content_type(io.BytesIO(content), len(content)) == kind


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ\x90\x00program", b"\x7fELF", office("evil.exe"), office("word/document.xml", "word/vbaProject.bin"),
     b"PK\x03\x04broken", b"\xff\xfe\x00", b"text\0with nul", b"GIF"[:2] + b"\x00"],
)  # fmt: skip
def test_other_files_are_refused_whatever_they_are_called(content: bytes) -> None:
    with pytest.raises(FileRefused):
        content_type(io.BytesIO(content), len(content))


def test_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(FileRefused, match="at most 10 MB"):
        content_type(io.BytesIO(PDF), LARGEST + 1)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_look_at_them(content: bytes) -> None:
    with contextlib.suppress(FileRefused):
        assert "/" in content_type(io.BytesIO(content), len(content))


@given(st.text(max_size=80))
def test_a_files_name_has_no_folder_and_no_hidden_signs(name: str) -> None:
    plain = plain_name(name)
    assert plain
    assert plain.isprintable()
    assert "/" not in plain
    assert "\\" not in plain


@pytest.mark.parametrize(
    ("name", "kind", "named"),
    [("invoice.bat", "text/plain", "invoice.bat.txt"), ("run.PS1", "text/plain", "run.PS1.txt"),
     ("Notes.TXT", "text/plain", "Notes.TXT"), ("people.csv", "text/plain", "people.csv"),
     ("offer.exe", "application/pdf", "offer.exe.pdf"), ("photo.jpeg", "image/jpeg", "photo.jpeg"),
     ("file", "image/png", "file.png")],
)  # fmt: skip
def test_a_file_is_called_what_it_is(name: str, kind: str, named: str) -> None:
    """Who keeps a file and opens it goes by its name: text called a program would be run."""
    assert named_as(name, kind) == named


def test_files_are_served_to_be_kept_and_never_shown(signed_in: SignIn, files: Path) -> None:
    acme, client = customer("acme"), signed_in("account_manager")
    page = b"<html><script>alert(1)</script>"
    log(client, acme, attached=SimpleUploadedFile("../../evil.html", page, content_type="text/html"))
    row = Attachment.objects.get()
    place = str(row.file.name)
    assert re.fullmatch(r"attachments/[0-9a-f]{32}", place)
    assert (files / place).read_bytes() == page
    response = signed_in("analyst").get(f"/customers/attachments/{row.pk}/")
    assert response.getvalue() == page
    assert response["Content-Type"] == "text/plain"
    assert response["Content-Disposition"] == 'attachment; filename="evil.html.txt"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    assert Client().get(f"/customers/attachments/{row.pk}/").status_code == 302


def test_a_file_that_is_not_taken_is_told_and_nothing_typed_is_lost(signed_in: SignIn) -> None:
    acme, client = customer("acme"), signed_in("account_manager")
    url = f"/customers/{acme.pk}/interactions/new/"
    page = client.post(url, typed(attached=SimpleUploadedFile("offer.pdf", b"MZ\x90\x00"))).content.decode()
    assert "offer.pdf: This is no file of a kind that is taken" in page
    assert "They want to renew." in page

    def some(number: int) -> list[SimpleUploadedFile]:
        return [SimpleUploadedFile(f"{n}.pdf", PDF) for n in range(number)]

    assert "At most 5 files" in client.post(url, typed(attached=some(6))).content.decode()
    made = log(client, acme, attached=some(3))
    said = typed(opened=opened(client, made), attached=some(3))
    assert "At most 5 files" in client.post(f"/customers/interactions/{made.pk}/edit/", said).content.decode()
    assert Attachment.objects.count() == 3


def test_pages_take_a_fixed_number_of_queries(signed_in: SignIn) -> None:
    acme, client = customer("acme"), signed_in("account_manager")
    for n in range(3):
        made = log(client, acme, text=f"Call {n}", attached=SimpleUploadedFile("a.pdf", PDF))
    assert_query_count("interactions of a customer", client, f"/customers/{acme.pk}/interactions/")
    assert_query_count("interaction", client, f"/customers/interactions/{made.pk}/")
    assert_query_count("interaction form", client, f"/customers/{acme.pk}/interactions/new/")


def test_handles_are_whole_words() -> None:
    ada, bob = User(email="ada.l@x.example"), User(email="bob@x.example")
    assert mentioned_in("@ada.l. and mail bob@x.example", [ada, bob]) == [ada]
    assert mentioned_in("(@BOB, @adal)", [ada, bob]) == [bob]
    assert nobodys("(@BOB, @adal), @ada.l. and mail bob@x.example", [ada, bob]) == ["adal"]
