"""A file whose request came to nothing goes; every file that a row names stays, and so does what is new."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from customers.interactions import keeping
from customers.models import Attachment, Interaction
from retention.common import clock
from retention.workspace import orphans
from retention.workspace.models import Workspace
from retention.workspace.roles import Role
from tests.customers.known import customer

LONG_AGO = time.time() - orphans.KEPT.total_seconds() - 3600


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def age(folder: Path) -> None:
    for path in files(folder):
        os.utime(path, (LONG_AGO, LONG_AGO))


def test_it_works(folder: Path, signed_in: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch) -> None:
    client, ada = signed_in(Role.ACCOUNT_MANAGER), customer("ada")
    client.raise_request_exception = False
    said = {"kind": "note", "text": "The terms", "happened_at": f"{clock.now():%Y-%m-%dT%H:%M}"}
    url, text = f"/customers/{ada.pk}/interactions/new/", b"We agree."

    def log() -> int:
        return client.post(url, said | {"attached": SimpleUploadedFile("terms.txt", text)}).status_code

    assert log() == 302
    kept = Path(Attachment.objects.get().file.path)
    Workspace.current().logo.save("logo.png", ContentFile(b"x"))
    monkeypatch.setattr(keeping, "_follow", lambda *_: 1 / 0)
    assert log() == 500
    assert (Interaction.objects.count(), len(files(folder))) == (1, 3), "a row is taken back, a file is not"
    assert orphans.sweep() == 0, "what is new may be somebody's whose request is at work"
    age(folder)
    (folder / "exports").mkdir()
    (folder / "exports" / "other.csv").write_text("of no field")
    age(folder)
    assert orphans.sweep() == 1
    assert kept.exists()
    assert {path.name for path in files(folder)} == {kept.name, Path(Workspace.current().logo.path).name, "other.csv"}
    assert orphans.sweep() == 0
