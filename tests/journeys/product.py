"""The whole product as `make run` starts it, on a data folder of its own, living at a chosen instant."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

NOT_INHERITED = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SECRET_KEY")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Product:
    """Web, worker and beat under the supervisor; `environment` is what they were started with."""

    def __init__(self, folder: Path, **variables: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        own = {"DATA_DIR": str(folder / "data"), "PORT": str(port), "PUBLIC_URL": self.url, "DEMO": "0"}
        self.environment = inherited | own | variables
        self._log = (folder / "product.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "retention.supervisor"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        wait_until(lambda: self.readiness() is not None, 120)

    def readiness(self) -> dict[str, Any] | None:
        """What /readyz says, or None where nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=30) as answer:
                told: dict[str, Any] = json.load(answer)
                return told
        except (urllib.error.URLError, OSError):
            return None

    def idle(self) -> bool:
        """Nothing is waiting: no job, no event to route, no message to send."""
        ready = self.readiness()
        return ready is not None and not any(ready["backlog"][what] for what in ("jobs", "events", "messages"))

    def manage(self, *arguments: str) -> str:
        """Run a command against the same data, and give what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def kill(self, program: str) -> int:
        """kill -9 everything of the web or the worker; returns how many processes that were."""
        found = [pid for pid, line in self._processes() if program in line]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    def _processes(self) -> list[tuple[int, str]]:
        mark = f"DATA_DIR={self.environment['DATA_DIR']}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (path / "environ").read_bytes().split(b"\0") and int(path.name) != self._process.pid:
                    found.append((int(path.name), (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()))
            except OSError:
                continue  # it ended meanwhile
        return found

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(120)
        finally:
            self._process.kill()
            self._log.close()


def wait_until(what: Callable[[], Any], seconds: float = 180) -> None:
    """Wait for a condition that other processes bring about."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)
