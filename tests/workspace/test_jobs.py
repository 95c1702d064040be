"""Long work as people see it: a bar that moves, a way to stop it, a summary at the end."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from kombu.exceptions import OperationalError
from psycopg.errors import DeadlockDetected

import campaigns.tasks
from retention.common import clock
from retention.common.alone import JOBS
from retention.workspace import jobs
from retention.workspace.models import Job, User
from retention.workspace.pace import pace
from retention.workspace.tasks import JOBS_AT_ONCE, run_job

SignIn = Callable[[str], Client]
PART = {"HX-Request": "true"}


@pytest.fixture
def counting() -> Iterator[None]:
    """A kind of job that counts to its number."""

    @jobs.job("counting")
    def work(progress: jobs.Progress) -> dict[str, Any]:
        for number in range(progress.job.spec["to"]):
            progress.step(number, progress.job.spec["to"], "Counting")
        return {"numbers_counted": progress.job.spec["to"]}

    yield
    jobs._kinds.pop("counting")


def running(**changes: Any) -> Job:
    began = clock.now() - timedelta(seconds=10)
    given = {"state": "running", "started_at": began, "done": 500, "total": 2_000, **changes}
    return Job.objects.create(kind="counting", title="Count", **given)


def test_it_works(counting: None, signed_in: SignIn) -> None:
    client = signed_in("analyst")
    job = jobs.enqueue("counting", "Count to three", {"to": 3})
    assert "Waiting" in client.get(f"/jobs/{job.pk}/").content.decode()
    jobs.run(job.pk)
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "Done" in page
    assert "<dt>Numbers counted</dt><dd>3</dd>" in page
    assert "every 1s" not in page, "a finished job is asked for again and again"


@pytest.mark.parametrize(("times", "state"), [(0, "done"), (3, "done"), (4, "failed")])
def test_a_job_that_waited_for_somebody_who_waited_for_it_is_begun_again(
    times: int, state: str, counting: None, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    works, left = jobs._kinds["counting"], iter(range(times))

    def deadlocked(progress: jobs.Progress) -> dict[str, Any]:
        if next(left, None) is not None:
            raise DatabaseError from DeadlockDetected()
        return works(progress)

    monkeypatch.setitem(jobs._kinds, "counting", deadlocked)
    job = jobs.enqueue("counting", "Count to three", {"to": 3})
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == state


def test_an_open_job_keeps_itself_fresh(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    job = running()
    client = signed_in("analyst")
    part = client.get(f"/jobs/{job.pk}/", headers=PART).content.decode()
    assert "<html" not in part
    assert f'hx-get="/jobs/{job.pk}/"' in part
    assert "500 of 2,000" in part
    assert "50 a second" in part
    assert ' value="25" max="100"' in part
    assert "about 30 s left" in part
    assert "<html" in client.get(f"/jobs/{job.pk}/").content.decode()


def test_a_job_without_a_known_whole_shows_no_share(signed_in: SignIn) -> None:
    part = signed_in("analyst").get(f"/jobs/{running(total=None).pk}/", headers=PART).content.decode()
    assert "value=" not in part.split("<progress")[1].split(">")[0]
    assert "left" not in part


def test_a_job_at_the_end_of_what_it_counts_says_no_time_left(signed_in: SignIn) -> None:
    part = signed_in("analyst").get(f"/jobs/{running(total=500).pk}/", headers=PART).content.decode()
    assert "value=" not in part.split("<progress")[1].split(">")[0]
    assert " left" not in part
    assert "a second" not in part


def test_who_asked_for_it_stops_it(counting: None, signed_in: SignIn) -> None:
    client = signed_in("marketer")
    job = jobs.enqueue("counting", "Count", {"to": 3}, User.objects.get(role="marketer"))
    assert client.get(f"/jobs/{job.pk}/cancel/").status_code == 405
    part = client.post(f"/jobs/{job.pk}/cancel/", headers=PART).content.decode()
    assert "Cancelled" in part
    jobs.run(job.pk)
    assert Job.objects.get().state == "cancelled"


def test_a_running_job_is_asked_to_stop(signed_in: SignIn) -> None:
    client = signed_in("administrator")
    job = running()
    assert "Stopping" in client.post(f"/jobs/{job.pk}/cancel/", headers=PART).content.decode()
    assert client.post(f"/jobs/{job.pk}/cancel/").status_code == 302


def test_nobody_else_stops_it(signed_in: SignIn) -> None:
    job = running()
    assert signed_in("analyst").post(f"/jobs/{job.pk}/cancel/").status_code == 403
    assert not Job.objects.get().cancel_asked


def test_a_failed_job_says_why(signed_in: SignIn) -> None:
    job = running(state="failed", error="The file ends too early.", finished_at=clock.now())
    assert "The file ends too early." in signed_in("analyst").get(f"/jobs/{job.pk}/").content.decode()


def test_there_is_no_pace_before_anything_is_done(db: None) -> None:
    assert pace(running(done=0), clock.now()) is None


def test_a_job_that_kills_every_worker_is_given_up(counting: None, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(_: jobs.Progress) -> dict[str, Any]:
        raise SystemExit  # as a kill, it leaves the job running

    monkeypatch.setitem(jobs._kinds, "counting", dies)
    job = Job.objects.create(kind="counting", title="Count", spec={"to": 1})
    for _ in range(jobs.TRIES):
        with pytest.raises(SystemExit):
            jobs.run(job.pk)
    assert jobs.due() == [job.pk]
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.begun) == ("failed", jobs.TRIES)
    assert "begun 20 times" in job.error


def test_a_long_job_is_not_killed_at_the_limit_of_other_tasks() -> None:
    assert (run_job.time_limit or 0) >= 24 * 3600 > current_app.conf.task_time_limit


def test_a_task_is_not_lost_where_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []

    def away(name: str, *_: Any, **__: Any) -> None:
        woken.append(name)
        raise OperationalError

    monkeypatch.setattr(current_app, "send_task", away)
    monkeypatch.setattr("campaigns.sweeping.route_all", lambda: 1)
    campaigns.tasks.route()
    assert woken == [campaigns.tasks.deliver.name]


@pytest.fixture
def elsewhere() -> Iterator[BaseDatabaseWrapper]:
    """A connection of another process."""
    other = connection.copy()
    yield other
    other.close()


def test_long_jobs_leave_workers_for_everything_else(
    counting: None, db: None, elsewhere: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[uuid.UUID] = []
    monkeypatch.setattr(jobs, "nudge", nudged.append)
    first, second = (Job.objects.create(kind="counting", title=str(n), spec={"to": n}) for n in (1, 2))
    with elsewhere.cursor() as cursor:
        for place in range(JOBS_AT_ONCE):
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [JOBS, place])
        run_job(str(first.pk))
        first.refresh_from_db()
        assert first.state == "queued", "enough are run"
        cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [JOBS])
        run_job(str(first.pk))
    first.refresh_from_db()
    assert first.state == "done"
    assert nudged == [second.pk], "the next one has its turn"
