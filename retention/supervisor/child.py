"""One program that the supervisor runs, in a session of its own, with its output marked as its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from . import tied

#: Seconds after which a program that ends has not failed at starting.
SETTLED = 10.0


class Child:
    """A program: `command` is its path and arguments, `on_end` is called from another thread each time it ends."""

    def __init__(self, name: str, command: list[str], on_end: "Callable[[Child], None]") -> None:
        self.name = name
        self.quick_failures = 0
        self._command = command
        self._on_end = on_end
        self._process: subprocess.Popen[str] | None = None
        self._started_at = 0.0

    def start(self) -> None:
        self._started_at = time.monotonic()
        self._process = process = subprocess.Popen(
            [sys.executable, "-IS", tied.__file__, str(os.getpid()), *self._command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._pass_output_on, args=(process,), daemon=True).start()
        threading.Thread(target=self._wait, args=(process,), daemon=True).start()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode if self._process else None

    def stop(self) -> None:
        """Ask it to end when it has finished what it is doing."""
        if self._process and self.runs:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and whatever it started, now."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def ended(self) -> None:
        """Take note of how it ended: count failures in a row that came soon after the start."""
        self.kill()
        quick = time.monotonic() - self._started_at < SETTLED
        self.quick_failures = self.quick_failures + 1 if quick else 0

    def _wait(self, process: "subprocess.Popen[str]") -> None:
        process.wait()
        self._on_end(self)

    def _pass_output_on(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout  # noqa: S101
        for line in process.stdout:
            say(line.rstrip("\n"), self.name)


def say(line: str, name: str = "") -> None:
    mark = f"{name:>6} | " if name else ""
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{mark}{line}\n")
        sys.stdout.flush()
