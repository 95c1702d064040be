"""An import that is killed at any moment has changed nothing, and is done whole when it is begun again."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection

from customers.ingest import imports
from customers.ingest.imports import start, take_in
from customers.models import Customer, Event, Import, Order, OrderLine, RejectedRow
from retention.workspace import jobs
from retention.workspace.models import Job
from tests.customers.ingest.bringing import LINES, mapping

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

ORDERS, LINES_EACH = 16_000, 4
WORKER = "worker of a test"
PATIENCE = 120  # seconds


@pytest.fixture
def job() -> Job:
    """An import of 64,000 good lines and one bad one."""
    rows = ["order_id,customer_id,ordered_at,sku,quantity,unit_price"]
    for order in range(ORDERS):
        rows += [
            f"A{order},{order % 5_000},2024-05-{order % 28 + 1:02},sku{line},{line},1.5" for line in range(LINES_EACH)
        ]
    rows.insert(50_000, "bad line")
    taken = take_in(io.BytesIO("\n".join(rows).encode()), "orders.csv", mapping(LINES))
    return start(taken, dry_run=False)


def counts() -> tuple[int, int, int, int, int]:
    models = (Customer, Order, OrderLine, Event, RejectedRow)
    customers, orders, lines, events, refused = (model._default_manager.count() for model in models)
    return customers, orders, lines, events, refused


def wait_for(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)


def worker(job: Job, *bugs: str) -> subprocess.Popen[bytes]:
    """A process that runs the job."""
    program = [sys.executable, "-m", "tests.customers.ingest.programs.worker"]
    database = str(connection.settings_dict["NAME"])
    return subprocess.Popen(
        [*program, database, str(job.pk), *bugs], cwd=settings.BASE_DIR, env={**os.environ, "PGAPPNAME": WORKER}
    )


@contextmanager
def killed(job: Job, *bugs: str) -> Iterator[None]:
    """A worker runs the job and is killed with SIGKILL at the end of the context, when it is still at it."""
    process = worker(job, *bugs)
    try:
        yield
    finally:
        process.kill()
        assert process.wait() == -signal.SIGKILL
    wait_for(lambda: not _statements())


def _statements() -> list[str]:
    """What the worker's server processes are doing; such a process outlives its client by a moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s", [WORKER]
        )
        return [query for (query,) in cursor.fetchall()]


def staging_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'import\\_%' AND relkind = 'r'")
        return [name for (name,) in cursor.fetchall()]


def in_copy(job: Job) -> None:
    wait_for(lambda: Job.objects.filter(pk=job.pk, stage="Reading the file", done__gte=20_000).exists())


def in_merge(job: Job) -> None:
    """In the last part of the merge: everything but the lines is written."""
    wait_for(lambda: any("INSERT INTO customers_orderline" in query for query in _statements()))


def test_it_works(job: Job) -> None:
    for moment in (in_copy, in_merge):
        with killed(job):
            moment(job)
        assert counts()[:4] == (0, 0, 0, 0), f"killed {moment.__name__}"
        assert staging_tables() == []
        job.refresh_from_db()
        assert job.state == Job.State.RUNNING
    assert jobs.due() == [job.pk]
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.DONE, "")
    assert counts() == (5_000, ORDERS, ORDERS * LINES_EACH, 5_000 + ORDERS, 1)
    assert staging_tables() == []


def test_a_merge_in_pieces_is_found_out(job: Job) -> None:
    """The bug that the test above is there for: planted, the kill leaves a part behind."""
    with killed(job, "piecemeal"):
        in_merge(job)
    assert counts()[:4] == (5_000, ORDERS, 0, 5_000 + ORDERS) or counts()[2] == ORDERS * LINES_EACH


def test_a_job_that_is_stopped_changes_nothing(job: Job) -> None:
    process = worker(job)
    in_copy(job)
    jobs.cancel(Job.objects.get(pk=job.pk))
    assert process.wait(PATIENCE) == 0
    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED
    assert counts()[:4] == (0, 0, 0, 0)
    assert jobs.due() == []


def test_an_undo_that_is_killed_has_changed_nothing_and_is_done_whole(job: Job) -> None:
    jobs.run(job.pk)
    before = counts()
    undo = imports.undo(Import.objects.get(), dry_run=False)
    with killed(undo):
        wait_for(lambda: any("DELETE FROM" in query and "undo_rows" in query for query in _statements()))
    assert counts() == before
    assert jobs.due() == [undo.pk]
    jobs.run(undo.pk)
    undo.refresh_from_db()
    assert (undo.state, undo.error) == (Job.State.DONE, "")
    assert counts()[:4] == (0, 0, 0, 0)
