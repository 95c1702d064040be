"""What Celery needs of a broker, asked of the embedded one and of Redis, with workers killed meanwhile."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings

from tests.platform.conftest import eventually

pytestmark = pytest.mark.chaos

#: What the product sets for Redis, but a worker's death is noticed sooner: not so soon that a slow machine's living
#: worker would be taken for dead.
REDIS_OPTIONS = {
    "visibility_timeout": 10,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "queue_order_strategy": "priority",
    "priority_steps": [0, 5, 9],
}


class Errands:
    """A broker, a folder in which tasks leave notes, and workers."""

    def __init__(self, folder: Path, url: str, options: dict[str, Any]) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            "ERRANDS_FOLDER": str(folder),
            "ERRANDS_BROKER": url,
            "ERRANDS_OPTIONS": json.dumps(options),
        }
        self.app = Celery(broker=url, set_as_current=False)
        self.app.conf.broker_transport_options = options

    def send(self, task: str, *args: Any, **how: Any) -> None:
        self.app.send_task(f"tests.platform.programs.errands.{task}", args, **how)

    def work(self, concurrency: int = 1) -> subprocess.Popen[bytes]:
        celery = [sys.executable, "-m", "celery", "-A", "tests.platform.programs.errands", "worker"]
        options = ["-c", str(concurrency), "--without-gossip", "--without-mingle", "-l", "ERROR"]
        worker = subprocess.Popen(
            [*celery, *options], env=self.environment, cwd=settings.BASE_DIR, start_new_session=True
        )
        self.workers.append(worker)
        return worker

    def noted(self, event: str) -> list[str]:
        file = self.folder / event
        return file.read_text().split() if file.exists() else []

    def backlog(self) -> int:
        with self.app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            return int(channel.queue_declare("celery").message_count)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


@pytest.fixture(params=["spool_url", "redis_url"])
def errands(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Errands]:
    """Keys of its own: what a killed worker had not acknowledged comes back even after its queue was emptied."""
    url = request.getfixturevalue(request.param)
    own = {**REDIS_OPTIONS, "global_keyprefix": f"{tmp_path.name}:"}
    errands = Errands(tmp_path, url, own if url.startswith("redis") else {})
    yield errands
    for worker in errands.workers:
        if worker.poll() is None:
            errands.kill(worker)
    errands.app.control.purge()
    errands.app.close()


def test_it_works(errands: Errands) -> None:
    for number, priority in enumerate([9, 5, 0, 9, 0]):
        errands.send("errand", f"p{priority}n{number}", priority=priority)
    errands.work()
    eventually(lambda: len(errands.noted("ended")) == 5)
    assert errands.noted("ended") == ["p0n2", "p0n4", "p5n1", "p9n0", "p9n3"], "the urgent first, then the oldest"
    errands.send("errand", "prompt")
    eventually(lambda: errands.noted("ended")[5:] == ["prompt"])


def test_what_a_killed_worker_had_comes_back(errands: Errands) -> None:
    for number in range(6):
        errands.send("errand", f"long{number}", 1.5 if number < 2 else 0)
    for number in range(3):
        errands.send("errand", f"later{number}", countdown=2)
    worker = errands.work(concurrency=2)
    eventually(lambda: len(errands.noted("began")) >= 2)
    errands.kill(worker)
    assert not errands.noted("ended")
    errands.work(concurrency=2)
    expected = {f"long{number}" for number in range(6)} | {f"later{number}" for number in range(3)}
    eventually(lambda: set(errands.noted("ended")) == expected)


def test_a_task_that_lost_its_process_comes_back(errands: Errands) -> None:
    errands.send("die_once", "victim")
    errands.work()
    eventually(lambda: "victim" in errands.noted("ended"))


def test_two_workers_share_the_work(errands: Errands) -> None:
    names = [f"n{number}" for number in range(100)]
    for name in names:
        errands.send("errand", name)
    errands.work(), errands.work()
    eventually(lambda: len(errands.noted("ended")) >= len(names))
    assert Counter(errands.noted("ended")) == Counter(names)


def test_a_polite_stop_finishes_what_was_begun(errands: Errands) -> None:
    errands.send("errand", "begun", 1.0)
    errands.send("errand", "waiting")
    worker = errands.work()
    eventually(lambda: errands.noted("began") == ["begun"])
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=120) == 0
    assert errands.noted("ended") == errands.noted("began")
    assert errands.backlog() == 2 - len(errands.noted("ended"))
