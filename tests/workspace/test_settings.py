"""The workspace's settings."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from retention.workspace.models import Workspace

SignIn = Callable[[str], Client]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
GOOD = {
    "name": "Nordlicht",
    "colour": "#0a7d33",
    "time_zone": "Europe/Berlin",
    "currency": "gbp",
    "basis": "orders",
    "activity_window": "60",
    "margin_share": "35.5",
    "sender_name": "Nora",
    "sender_address": "nora@example.test",
    "postal_address": "Hafen 1, Hamburg",
    "messages_per_day": "2",
    "quiet_from": "21:00",
    "quiet_until": "08:00",
}


def save(client: Client, **changes: Any) -> Any:
    return client.post("/settings/", {**GOOD, **changes})


def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    assert save(client).status_code == 302
    stands = Workspace.current()
    assert (stands.name, stands.currency, stands.time_zone) == ("Nordlicht", "GBP", "Europe/Berlin")
    page = client.get("/settings/").content.decode()
    assert "The settings are saved." in page
    assert 'value="21:00"' in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("colour", "red;}body{display:none", "at most 7 characters"),
        ("colour", "#12345x", "as #rrggbb"),
        ("currency", "€", "three letters"),
        ("time_zone", "Mars/Base", "Select a valid choice"),
        ("activity_window", "0", "greater than or equal to 1"),
        ("margin_share", "101", "less than or equal to 100"),
        ("messages_per_day", "0", "greater than or equal to 1"),
        ("quiet_until", "", "both ends"),
        ("sender_address", "nobody", "valid email"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_kept(field: str, value: str, words: str, signed_in: SignIn) -> None:
    response = save(signed_in("administrator"), **{field: value})
    assert response.status_code == 200
    page = response.content.decode()
    assert f'id="id_{field}_error"' in page
    assert words in page
    assert 'value="Nordlicht"' in page
    assert Workspace.current().name != "Nordlicht"


def test_the_database_refuses_what_would_break_a_page(db: None) -> None:
    for wrong in ({"colour": "red"}, {"currency": "eur"}, {"messages_per_day": 0}, {"quiet_from": "21:00"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Workspace.objects.update(**wrong)


def test_a_logo_is_shown_to_everybody(signed_in: SignIn, tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    save(signed_in("administrator"), logo=SimpleUploadedFile("../../evil.html", PNG, "text/html"))
    assert Workspace.current().logo.name == "branding/logo.png"
    response = Client().get("/branding/logo/")
    assert response["Content-Type"] == "image/png"
    assert response.content == PNG
    assert "/branding/logo/" in Client().get("/account/login/").content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no PNG"),
        (b"<html>", "no PNG"),
        (PNG + b"\0" * 300_000, "may have 256 KB"),
    ],
)
def test_what_is_no_safe_picture_is_refused(content: bytes, words: str, signed_in: SignIn) -> None:
    response = save(signed_in("administrator"), logo=SimpleUploadedFile("logo.png", content, "image/png"))
    assert words in response.content.decode()
    assert not Workspace.current().logo


def test_without_a_logo_there_is_none(db: None) -> None:
    assert Client().get("/branding/logo/").status_code == 404
