"""Imports: taking a file in, and starting the job that tries or does it."""

import time
from typing import IO, Any

from django.core.files import File
from django.db import connection, transaction

from customers.ingest.mapping import Mapping
from customers.ingest.running import JOB
from customers.ingest.undo import running as undoing
from customers.ingest.undo.kinds import UNMARKED
from customers.models import Import
from retention.common.opened import mark
from retention.workspace import jobs
from retention.workspace.models import Job, User

WAIT = 0.5  # seconds between two looks at a job that another process does


class StillRunning(Exception):
    """The import has a job that is not over."""


class ChangedMeanwhile(Exception):
    """Somebody else said anew how the file is read, after it was opened or tried here."""


class NothingToUndo(Exception):
    """The import changed nothing, or was never brought in."""


def take_in(file: IO[Any], filename: str, mapping: Mapping) -> Import:
    """Keep a file with the way it will be read."""
    taken = Import(kind=mapping.kind, filename=filename[:300], spec=mapping.to_json())
    taken.file.save(filename, File(file), save=False)
    taken.save()
    return taken


@transaction.atomic
def remap(imported: Import, mapping: Mapping, opened: str = "") -> None:
    """Say anew how the file is read; `opened` is the mark of how it was said to be as this person began.

    Raises ChangedMeanwhile, and StillRunning where a job is at it.
    """
    stands = _held(imported)
    if opened and opened != mark(stands.spec):
        raise ChangedMeanwhile
    _at_rest(stands)
    imported.kind, imported.spec = mapping.kind, mapping.to_json()
    imported.save(update_fields=["kind", "spec"])


@transaction.atomic
def remove(imported: Import) -> None:
    """Forget the file and what was refused of it; what it brought in stays. Raises StillRunning.

    Imports that it built on can be taken back still: they have to know of rows that are not as they made them.
    """
    _at_rest(_held(imported))
    file = imported.file
    built_on = imported.changes.filter(before__isnull=False, table__in=UNMARKED)
    built_on.update(run=None, before={}, after=None)
    imported.delete()
    transaction.on_commit(lambda: file.delete(save=False))


def _held(imported: Import) -> Import:
    """The import as it is now and not as it was when its page was opened, locked."""
    return Import.objects.select_for_update(of=("self",)).select_related("job", "undo_job").get(pk=imported.pk)


def _at_rest(stands: Import) -> None:
    """Raises StillRunning."""
    if any(job.open for job in stands.jobs):
        raise StillRunning


@transaction.atomic
def start(imported: Import, *, dry_run: bool, by: User | None = None, tried: str = "") -> Job:
    """Have a worker try the import (`dry_run`) or do it; `tried` is the job that said what it would do.

    Raises ChangedMeanwhile where another was the last to try it, and StillRunning where one is at it.
    """
    stands = _held(imported)
    if tried and tried != str(stands.job_id):
        raise ChangedMeanwhile
    _at_rest(stands)
    imported.dry_run = dry_run
    imported.job = jobs.enqueue(JOB, _title(imported), {"import": imported.pk}, by)
    imported.save(update_fields=["dry_run", "job"])
    if not dry_run:  # a trial leaves it taken back
        Import.objects.filter(pk=imported.pk).update(undone_at=None)
    return imported.job


@transaction.atomic
def undo(imported: Import, *, dry_run: bool, by: User | None = None) -> Job:
    """Have a worker take the import back, or say what that would do. Raises StillRunning, NothingToUndo."""
    _at_rest(_held(imported))
    if not imported.changes.exists():
        raise NothingToUndo
    title = f"{'Trying to take' if dry_run else 'Taking'} {imported.filename} back"[:200]
    imported.undo_job = jobs.enqueue(undoing.JOB, title, {"import": imported.pk, "dry_run": dry_run}, by)
    imported.save(update_fields=["undo_job"])
    return imported.undo_job


def run_here(imported: Import, *, dry_run: bool, tell: jobs.Tell) -> Job:
    """Try or do the import in this process and return its ended job. An interrupt (Ctrl-C) cancels it.

    The job is as good as any other: where this process is killed, a worker takes it up again.
    """
    return _here(start(imported, dry_run=dry_run), tell)


def undo_here(imported: Import, *, dry_run: bool, tell: jobs.Tell) -> Job:
    """The same for taking the import back. Raises StillRunning, NothingToUndo."""
    return _here(undo(imported, dry_run=dry_run), tell)


def _here(job: Job, tell: jobs.Tell) -> Job:
    try:
        jobs.run(job.pk, tell)
        job.refresh_from_db()
        while job.open:  # a worker was first
            tell(job.done, job.total, job.stage)
            time.sleep(WAIT)
            job.refresh_from_db()
    except KeyboardInterrupt:
        connection.close()  # it may be in the middle of a COPY
        jobs.cancel(job)
        jobs.run(job.pk)
    job.refresh_from_db()
    return job


def _title(imported: Import) -> str:
    return f"{'Trying' if imported.dry_run else 'Bringing in'} {imported.filename}"[:200]
