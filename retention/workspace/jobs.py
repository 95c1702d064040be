"""Running jobs: claim, report progress, finish, take up again after a kill.

A room registers what a kind of job does with `@job("import")`. `enqueue` stores the row and wakes a worker. Whoever
runs a job holds a PostgreSQL advisory lock on its id; the server drops that lock the moment a worker dies, and the
sweep wakes another. So work may be begun again: it must commit its effect in one transaction, or be safe to repeat.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from kombu.exceptions import OperationalError
from psycopg.errors import DeadlockDetected

from retention.common import clock
from retention.workspace.models import Job, User

OPEN = (Job.State.QUEUED, Job.State.RUNNING)
TRIES = 20
#: So many in one run of a job do no harm.
DEADLOCKS = 3
DEADLY = (
    f"It was begun {TRIES} times, and each time the worker was stopped before it ended, perhaps for want of memory. "
    "Nothing is tried any more by itself: ask whoever runs this installation, then start it again."
)
Work = Callable[["Progress"], dict[str, Any]]
Tell = Callable[[int, int | None, str], None]
_kinds: dict[str, Work] = {}
log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody asked for the job to stop."""


class JobFailed(Exception):
    """The job cannot be done; the text says why and what to do, for the person who asked for it."""


def job(kind: str) -> Callable[[Work], Work]:
    """Register the function that does jobs of this kind. It gets a Progress and returns the summary."""

    def register(work: Work) -> Work:
        _kinds[kind] = work
        return work

    return register


def enqueue(kind: str, title: str, spec: dict[str, Any], by: User | None = None) -> Job:
    """Store a job and wake a worker once the surrounding transaction commits."""
    row = Job.objects.create(kind=kind, title=title, spec=spec, created_by=by)
    transaction.on_commit(lambda: nudge(row.id))
    return row


def waiting(kind: str, spec: dict[str, Any]) -> Job | None:
    """A job that has not begun, and so will do for what is written just now as well.

    It is locked, so that it begins only once that can be seen; one that is beginning just now will not do.
    """
    queued = Job.objects.filter(kind=kind, spec=spec, state=Job.State.QUEUED)
    return queued.select_for_update(of=("self",), skip_locked=True).first()


def nudge(job_id: uuid.UUID) -> None:
    """Wake a worker for a job."""
    wake("retention.workspace.tasks.run_job", str(job_id))


def wake(task: str, *args: str) -> None:
    """Have a worker run a task now. Where the broker is away, the sweep finds what is due once it is back."""
    try:
        current_app.send_task(task, args=args)
    except OperationalError:
        log.warning("the broker is away, so no worker was woken", extra={"task": task, "args_given": args})


def nudge_next() -> None:
    """Wake a worker for the job that waits longest, now that another has ended."""
    waiting = Job.objects.filter(state=Job.State.QUEUED).order_by("created_at").values_list("id", flat=True).first()
    if waiting is not None:
        nudge(waiting)


def due() -> list[uuid.UUID]:
    """Open jobs, oldest first. Waking one that is being run does nothing."""
    return list(Job.objects.filter(state__in=OPEN).order_by("created_at").values_list("id", flat=True))


def run(job_id: uuid.UUID, tell: Tell | None = None) -> None:
    """Run a job to its end, if it is open and nobody else is at it. `tell` hears each step too."""
    with _hold(job_id) as held:
        row = Job.objects.filter(pk=job_id, state__in=OPEN).first() if held else None
        if row is None:
            return
        if row.begun < TRIES:
            _work(Progress(row, tell))
        else:
            Progress(row).finish(Job.State.FAILED, error=DEADLY)


@contextmanager
def _hold(job_id: uuid.UUID) -> Iterator[bool]:
    key = job_id.int % 2**63
    with connection.cursor() as cursor:
        # Without it the server notices that a worker died, and lets go of its job, only when the statement ends.
        cursor.execute("SET client_connection_check_interval = '2s'")
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (held,) = cursor.fetchone()
        try:
            yield held
        finally:
            if held and connection.connection and not connection.connection.closed:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _work(progress: "Progress") -> None:
    progress.begin()
    try:
        summary = _summary(progress)
    except Cancelled:
        progress.finish(Job.State.CANCELLED)
    except JobFailed as reason:
        progress.finish(Job.State.FAILED, error=str(reason))
    except Exception:
        log.exception("job failed", extra={"job": str(progress.job.pk), "kind": progress.job.kind})
        progress.finish(Job.State.FAILED, error="It stopped on an error of ours, which is in the log. Try it again.")
    else:
        progress.finish(Job.State.DONE, summary)


def _summary(progress: "Progress") -> dict[str, Any]:
    """What the job tells when it is done. Where it and somebody else waited for each other it is begun again, as after
    a kill."""
    work = _kinds[progress.job.kind]
    for _ in range(DEADLOCKS):
        try:
            return work(progress)
        except DatabaseError as error:
            if not isinstance(error.__cause__, DeadlockDetected):
                raise
    return work(progress)


class Progress:
    """What a running job tells about itself."""

    def __init__(self, row: Job, tell: Tell | None = None) -> None:
        self.job = row
        self._tell = tell
        self._rows = Job.objects.filter(pk=row.pk)

    def begin(self) -> None:
        self._rows.update(state=Job.State.RUNNING, started_at=clock.now(), done=0, stage="", begun=F("begun") + 1)

    def step(self, done: int, total: int | None = None, stage: str = "") -> None:
        """Say how far the work is. Raises Cancelled where somebody asked to stop."""
        self._rows.update(done=done, total=total, stage=stage)
        if self._tell:
            self._tell(done, total, stage)
        self.stop_if_asked()

    def step_aside(self, done: int, total: int | None = None, stage: str = "") -> None:
        """The same from inside a long transaction: on a connection of its own, so that it shows and locks nothing."""
        with ThreadPoolExecutor(1) as aside:
            aside.submit(self._apart, done, total, stage).result()
        if self._tell:
            self._tell(done, total, stage)
        self.stop_if_asked()

    def _apart(self, done: int, total: int | None, stage: str) -> None:
        try:
            self._rows.update(done=done, total=total, stage=stage)
        finally:
            connection.close()

    def stop_if_asked(self) -> None:
        """Raise Cancelled where somebody asked to stop.

        For use inside a long transaction, where `step` would lock the job's row and make whoever cancels wait.
        """
        if self._rows.filter(cancel_asked=True).exists():
            raise Cancelled

    def finish(self, state: Job.State, summary: dict[str, Any] | None = None, error: str = "") -> None:
        done = Coalesce(F("total"), F("done")) if state == Job.State.DONE else F("done")
        self._rows.update(state=state, summary=summary or {}, error=error, finished_at=clock.now(), done=done)


def cancel(row: Job) -> None:
    """Ask a job to stop: at once where it has not begun, at its next step where it runs."""
    waiting = Job.objects.filter(pk=row.pk, state=Job.State.QUEUED)
    if not waiting.update(state=Job.State.CANCELLED, finished_at=clock.now()):
        Job.objects.filter(pk=row.pk, state=Job.State.RUNNING).update(cancel_asked=True)
