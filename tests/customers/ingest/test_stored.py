"""Uploaded files go after their time; what they brought and what tells of them stays."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from customers.ingest import imports, stored, unchanged
from customers.models import Customer, Import
from retention.common import clock
from retention.workspace import jobs
from retention.workspace.models import Job
from tests.customers.ingest.bringing import CUSTOMERS, bring, mapping

pytestmark = pytest.mark.django_db

TEXT = "customer_id,name,email,joined_at,tags,consent\n1,Ann,,,,\n"
Commit = Callable[..., Any]


@pytest.fixture
def client(signed_in: Callable[[str], Client]) -> Client:
    return signed_in("account_manager")


def swept(commit: Commit) -> int:
    with commit(execute=True):
        return stored.forget_old()


def aged(taken: Import, by: timedelta = timedelta(days=1)) -> Path:
    """Let the import have ended longer ago than files are kept, by so much. Returns where its file lies."""
    then = clock.now() - settings.IMPORT_FILES_KEPT - by
    Import.objects.filter(pk=taken.pk).update(created_at=then)
    Job.objects.filter(import_run=taken).update(finished_at=then)
    return Path(taken.file.path)


def test_it_works(client: Client, django_capture_on_commit_callbacks: Commit) -> None:
    _, old = bring(mapping(CUSTOMERS), TEXT + "x\n")
    _, new = bring(mapping(CUSTOMERS), TEXT)
    path = aged(old)
    aged(new, timedelta(days=-1))
    assert "The file itself is kept until" in client.get(f"/data/{old.pk}/").content.decode()
    assert swept(django_capture_on_commit_callbacks) == 1
    assert (path.exists(), Path(new.file.path).exists()) == (False, True)
    page = client.get(f"/data/{old.pk}/").content.decode()
    assert "The file itself is deleted" in page
    assert "Change the mapping" not in page
    assert client.get(f"/data/{old.pk}/refused.csv").getvalue().decode().count("\n") == 2
    for rest in ("mapping/", "preview/", "layout/", "start/"):
        assert client.post(f"/data/{old.pk}/{rest}").status_code == 404
    jobs.run(imports.undo(old, dry_run=False).pk)
    assert not Customer.objects.exists()
    assert swept(django_capture_on_commit_callbacks) == 0


def test_an_upload_that_was_never_tried_goes_as_a_whole(django_capture_on_commit_callbacks: Commit) -> None:
    job, taken = bring(mapping(CUSTOMERS), TEXT)
    Import.objects.update(job=None)
    job.delete()
    path = aged(taken)
    assert swept(django_capture_on_commit_callbacks) == 1
    assert not path.exists()
    assert not Import.objects.exists()


def test_a_file_that_a_job_is_at_stays(django_capture_on_commit_callbacks: Commit) -> None:
    _, one = bring(mapping(CUSTOMERS), TEXT)
    _, two = bring(mapping(CUSTOMERS), TEXT + "2,Ben,,,,\n")
    aged(one)
    aged(two)
    imports.start(one, dry_run=False)
    imports.undo(two, dry_run=False)
    assert swept(django_capture_on_commit_callbacks) == 0


def test_the_file_that_the_next_one_is_compared_with_stays(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Commit
) -> None:
    monkeypatch.setattr(unchanged, "LARGE", 1)
    _, first = bring(mapping(CUSTOMERS), TEXT)
    _, second = bring(mapping(CUSTOMERS), TEXT + "2,Ben,,,,\n")
    first.refresh_from_db()
    first.mark["own"] = "3"  # the test is one transaction, and they are told apart by theirs
    first.save()
    gone, stays = aged(first), aged(second)
    assert swept(django_capture_on_commit_callbacks) == 1
    assert (gone.exists(), stays.exists()) == (False, True)
    assert [found.pk for found in unchanged.compared_with()] == [second.pk]
    second.delete()
    assert not unchanged.compared_with().exists(), "a file that is gone is compared with"
