"""The embedded PostgreSQL, used and killed as other processes would."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from retention.embedded_postgres.cluster import Cluster, ClusterError
from tests.platform.conftest import eventually

pytestmark = pytest.mark.chaos
ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody").pw_uid


class Asker:
    """A process that asks the database what it is told to."""

    def __init__(self, folder: Path, *server: str, **popen: Any) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", "tests.platform.programs.ask", str(folder), *server],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=settings.BASE_DIR,
            **popen,
        )

    def read(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().rstrip("\n")

    def send(self, sql: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()

    def ask(self, sql: str) -> str:
        self.send(sql)
        return self.read()

    def end(self, how: int | None = None) -> None:
        """Let it end by itself, or by the signal `how`."""
        if how:
            self.process.send_signal(how)
        self.process.communicate()


@pytest.fixture
def asker() -> Iterator[Callable[..., Asker]]:
    started: list[Asker] = []

    def start(folder: Path, *server: str, **popen: Any) -> Asker:
        started.append(Asker(folder, *server, **popen))
        return started[-1]

    yield start
    for process in started:
        process.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that tests may share: nothing they do to it is meant to harm it."""
    return tmp_path_factory.mktemp("a shared cluster ü")


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(pid: int, within: float = 60.0) -> bool:
    deadline = time.monotonic() + within
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(pid)


def test_it_works(tmp_path: Path, asker: Callable[..., Asker]) -> None:
    folder = tmp_path / "not there yet" / "a cluster"
    first = asker(folder)
    assert not folder.exists()
    assert first.ask("SELECT current_database()") == "retention"
    server = postmaster(folder)
    first.end()
    assert ends(server)


def test_a_cluster_is_safe_and_sorts_the_same_everywhere(used: Path, asker: Callable[..., Asker]) -> None:
    process = asker(used)
    assert process.ask("SHOW data_checksums") == "on"
    assert process.ask("SHOW fsync") == "on"
    assert process.ask("SHOW listen_addresses") == ""
    assert process.ask("SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert process.ask("SELECT lower('ÜBER')") == "über"
    assert used.stat().st_mode & 0o777 == 0o700


def test_the_server_takes_settings(used: Path, asker: Callable[..., Asker]) -> None:
    process = asker(used, "fsync=off", "work_mem=7MB")
    assert process.ask("SHOW fsync") == "off"
    assert process.ask("SHOW work_mem") == "7MB"


def test_the_last_one_out_stops_the_server(used: Path, asker: Callable[..., Asker]) -> None:
    first, second = asker(used), asker(used)
    first.ask("SELECT 1")
    server = postmaster(used)
    assert second.ask("SELECT 1") == "1"
    first.end()
    assert second.ask("SELECT 2") == "2"
    assert postmaster(used) == server
    second.end(signal.SIGKILL)
    assert ends(server)


def test_a_newcomer_while_the_server_stops(used: Path, asker: Callable[..., Asker]) -> None:
    for _ in range(2):
        leaving, newcomer = asker(used), asker(used)
        leaving.ask("SELECT 1")
        leaving.end(signal.SIGKILL)
        assert newcomer.ask("SELECT 1") == "1"
        newcomer.end()


def test_a_path_longer_than_a_socket_may_have(tmp_path: Path, asker: Callable[..., Asker]) -> None:
    assert asker(tmp_path / ("long " * 40)).ask("SELECT 1") == "1"


def test_eight_processes_race_on_a_fresh_cluster(tmp_path: Path, asker: Callable[..., Asker]) -> None:
    racers = [asker(tmp_path) for _ in range(8)]
    for racer in racers:
        racer.send("SELECT pg_postmaster_start_time()")
    assert len({racer.read() for racer in racers}) == 1
    racers[0].ask("CREATE TABLE laps (id int)")
    assert {racer.ask("INSERT INTO laps VALUES (1)") for racer in racers} == {"done"}
    assert racers[0].ask("SELECT count(*) FROM laps") == "8"


def test_a_killed_server_is_started_again_and_has_lost_nothing(used: Path, asker: Callable[..., Asker]) -> None:
    process, other = asker(used), asker(used)
    process.ask("CREATE TABLE kept AS SELECT generate_series(1, 1000)")
    other.ask("SELECT 1")
    server = postmaster(used)
    os.kill(server, signal.SIGKILL)
    assert ends(server)
    assert "OperationalError" in process.ask("SELECT 1")
    assert process.ask("SELECT count(*) FROM kept") == "1000"
    other.ask("SELECT 1")
    assert other.ask("SELECT count(*) FROM kept") == "1000"
    assert postmaster(used) != server


def test_a_killed_keeper_takes_the_server_along(used: Path, asker: Callable[..., Asker]) -> None:
    process = asker(used)
    process.ask("SELECT 1")
    server = postmaster(used)
    os.kill(parent(server), signal.SIGKILL)
    assert ends(server)
    process.ask("SELECT 1")
    assert process.ask("SELECT 1") == "1"


def test_everything_killed_while_the_cluster_is_made(tmp_path: Path, asker: Callable[..., Asker]) -> None:
    process = asker(tmp_path)
    process.send("SELECT 1")
    eventually((tmp_path / "data.new" / "PG_VERSION").exists)
    process.end(signal.SIGKILL)
    assert asker(tmp_path).ask("SELECT 1") == "1"


def test_another_major_version(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ClusterError, match="made by PostgreSQL 16, and this is PostgreSQL 18"):
        Cluster(tmp_path).join()


def test_another_owner(tmp_path: Path) -> None:
    foreign = tmp_path if ROOT else Path("/usr")
    if ROOT:
        (tmp_path / "data").mkdir()
        os.chown(tmp_path, NOBODY, -1)
    with pytest.raises(ClusterError, match="belongs to the user"):
        Cluster(foreign).join()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match='unrecognized configuration parameter "nonsense"'):
        Cluster(tmp_path, {"nonsense": "1"}).start()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder which any user reaches."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not ROOT, reason="about what root does: run the tests as root too")
def test_root_without_user_namespaces(open_folder: Path, asker: Callable[..., Asker], tmp_path: Path) -> None:
    """Stands for a container whose root may not make any."""
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\nexit 1\n")
    unshare.chmod(0o755)
    process = asker(open_folder / "cluster", env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert process.ask("SELECT 1") == "1"
    server = postmaster(open_folder / "cluster")
    assert Path(f"/proc/{server}").stat().st_uid == NOBODY
    process.end()
    assert ends(server)
