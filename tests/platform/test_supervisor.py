"""The supervisor, with programs that die, hang and are killed; then the whole product under it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from retention.supervisor.__main__ import CannotStart, check_port, lock
from tests.platform.conftest import environment, eventually

pytestmark = pytest.mark.chaos
STEADY = ["/bin/sh", "-c", "echo steady; exec sleep 600"]
FAILING = ["/bin/sh", "-c", "echo failing; exit 7"]
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; echo stubborn; while :; do sleep 1; done"]


class Run:
    """A supervisor in a process of its own, and everything that comes of it, known by its folder's name."""

    def __init__(self, command: list[str], mark: Path, **variables: str) -> None:
        self.folder = mark
        self.mark = str(mark).encode()
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment(**variables, DATA_DIR=str(mark)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=settings.BASE_DIR,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(line.rstrip("\n") for line in self.process.stdout)

    def said(self, text: str) -> int:
        """How many lines have the text."""
        return sum(text in line for line in list(self.lines))

    def processes(self) -> dict[int, str]:
        """What runs now: process ids and command lines, without the supervisor itself."""
        lines = {int(path.name): self._read_file(path / "cmdline") for path in Path("/proc").glob("[0-9]*")}
        found = {
            pid: line.replace(b"\0", b" ").decode()
            for pid, line in lines.items()
            if self.mark in line or self.mark in self._read_file(Path(f"/proc/{pid}/environ"))
        }
        found.pop(self.process.pid, None)
        return found

    @staticmethod
    def _read_file(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:
            return b""

    def pid(self, text: str) -> int:
        return min(pid for pid, line in self.processes().items() if text in line)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*command: str, **variables: str) -> Run:
        runs.append(Run(list(command), tmp_path / "data", **variables))
        return runs[-1]

    yield start
    for one in runs:
        one.process.kill()
        one.process.wait()
        for pid in one.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def toys(run: Callable[..., Run]) -> Callable[..., Run]:
    def start(grace: float = 60.0, **programs: list[str]) -> Run:
        return run("tests.platform.programs.toys", json.dumps(programs), str(grace))

    return start


def test_it_works(toys: Callable[..., Run]) -> None:
    one = toys(one=STEADY, two=STEADY)
    eventually(lambda: one.said("one | steady") and one.said("two | steady"))
    one.signal(signal.SIGINT)
    assert one.process.wait(timeout=120) == 0
    assert not one.processes()


def test_a_dead_program_is_started_again(toys: Callable[..., Run]) -> None:
    one = toys(one=STEADY)
    eventually(lambda: one.said("steady") == 1)
    os.kill(one.pid("sleep"), signal.SIGKILL)
    eventually(lambda: one.said("steady") == 2)


def test_a_program_that_keeps_failing_ends_everything(toys: Callable[..., Run]) -> None:
    one = toys(good=STEADY, bad=FAILING)
    assert one.process.wait(timeout=120) == 1
    eventually(lambda: one.said("bad ended 3 times soon after its start"))
    assert one.said("failing") == 3
    assert not one.processes()


def test_a_program_that_does_not_stop_is_ended(toys: Callable[..., Run]) -> None:
    one = toys(one=STUBBORN, grace=1.0)
    eventually(lambda: one.said("stubborn"))
    one.signal(signal.SIGTERM)
    assert one.process.wait(timeout=120) == 0
    assert not one.processes()


def test_a_second_ctrl_c_ends_it_at_once(toys: Callable[..., Run]) -> None:
    one = toys(one=STUBBORN)
    eventually(lambda: one.said("stubborn"))
    one.signal(signal.SIGINT)
    eventually(lambda: one.said("Stopping"))
    one.signal(signal.SIGINT)
    assert one.process.wait(timeout=120) == 0
    assert not one.processes()


def test_nothing_outlives_a_killed_supervisor(toys: Callable[..., Run]) -> None:
    one = toys(one=STEADY, two=["/bin/sleep", "600"])
    eventually(lambda: len(one.processes()) == 2 and one.said("steady"))
    one.signal(signal.SIGKILL)
    one.process.wait()
    eventually(lambda: not one.processes(), within=120)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def ready(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_whole_product(run: Callable[..., Run]) -> None:
    """Starts on an empty folder, survives its parts being killed, stops cleanly, and leaves nothing behind."""
    port = free_port()
    product = run("retention.supervisor", PORT=port)
    eventually(lambda: product.said(f"http://localhost:{port}") and product.said("ready.") and ready(port))
    for part in ("bin/postgres", "gunicorn", "worker", "beat"):
        os.kill(product.pid(part), signal.SIGKILL)
    eventually(lambda: ready(port) and product.said("ready.") == 2)

    product.signal(signal.SIGINT)
    assert product.process.wait(timeout=120) == 0
    eventually(lambda: not product.processes())
    assert not product.said("Traceback"), "\n".join(product.lines)


def test_the_product_on_given_servers(run: Callable[..., Run], postgres_url: str, redis_url: str) -> None:
    """With DATABASE_URL and REDIS_URL set nothing is embedded; killed outright, nothing is left behind."""
    port = free_port()
    product = run("retention.supervisor", PORT=port, DATABASE_URL=postgres_url, REDIS_URL=redis_url)
    eventually(lambda: product.said("ready.") and ready(port))
    assert sorted(path.name for path in product.folder.iterdir()) == ["secret_key", "supervisor.lock"]
    healthy = [sys.executable, str(settings.BASE_DIR / "bin" / "healthy.py")]
    subprocess.run(healthy, env=environment(PORT=port), check=True)
    product.signal(signal.SIGKILL)
    product.process.wait()
    eventually(lambda: not product.processes())
    assert subprocess.run(healthy, env=environment(PORT=port), check=False, capture_output=True).returncode == 1


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotStart, match="Name another: PORT="):
            check_port(taken.getsockname()[1])


def test_one_product_at_a_time_on_a_data_folder(tmp_path: Path) -> None:
    with lock(tmp_path), pytest.raises(CannotStart, match="already runs on the data in"):
        lock(tmp_path)
    lock(tmp_path).close()


def test_a_wrong_setting_is_said(run: Callable[..., Run]) -> None:
    product = run("retention.supervisor", DATABASE_URL="mysql://somewhere/db")
    assert product.process.wait(timeout=120) == 1
    eventually(lambda: product.said("DATABASE_URL must be an address that begins with postgresql://"))
    assert not product.said("Traceback")
