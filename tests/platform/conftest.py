"""Fixtures for tests that start and kill processes."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from retention.embedded_postgres.keeper import NAME

#: Seconds: a busy machine takes its time to start three programs.
WAIT = 300.0


def environment(**more: str) -> dict[str, str]:
    """For a program that is to run with the product's own settings, not with the tests'."""
    tests_own = ("DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE")
    ours = {name: value for name, value in os.environ.items() if name not in tests_own}
    return ours | {"DATABASE_URL": "", "REDIS_URL": "", "DEMO": "0"} | more


def eventually(condition: Callable[[], object], within: float = WAIT) -> None:
    """Wait until the condition holds; fail if it doesn't in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of the tests' own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs a Redis server: apt-get install redis-server")
    folder = tmp_path_factory.mktemp("redis")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: _answers(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server that is not the product's own to start and stop."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short enough for a socket
    command = [sys.executable, "-m", "tests.platform.programs.ask", str(folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR)
    try:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write("CREATE DATABASE given\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "done\n"
        yield f"postgresql://{NAME}@/{folder}/given"
    finally:
        holder.communicate()
        eventually(lambda: not (folder / "data" / "postmaster.pid").exists())
        shutil.rmtree(folder)


@pytest.fixture
def spool_url(tmp_path: Path) -> str:
    return (tmp_path / "a spool 100% ü").as_uri().replace("file://", "spool://localhost", 1)
