"""Keeps a set of programs running until told to stop."""

import queue
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass

from .child import Child, say

#: Failures in a row, each soon after the start, after which starting again is not worth it.
PATIENCE = 3
#: Seconds that programs get to finish what they are doing.
GRACE = 20.0
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Stop:
    """Somebody asked for the end: pressed Ctrl-C, or closed the terminal."""


class Stopped(Exception):
    """The end was asked for while a program had to be waited for."""


class Supervisor:
    """Runs programs in this process's main thread."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Child | Stop] = queue.SimpleQueue()
        self._children: list[Child] = []
        for number in STOPPING_SIGNALS:
            signal.signal(number, lambda *_: self._events.put(Stop()))

    def finish(self, name: str, command: list[str]) -> int:
        """Run a program to its end and return its exit code."""
        child = self._add(name, command)
        event = self._events.get()
        self._children.remove(child)
        if isinstance(event, Stop):
            self._children.append(child)
            self.stop()
            raise Stopped
        return child.exit_code or 0

    def keep(self, programs: Iterable[tuple[str, list[str]]]) -> int:
        """Run programs, each again when it ends, until told to stop. Returns the exit code: 1 if one won't run."""
        for name, command in programs:
            self._add(name, command)
        while isinstance(event := self._events.get(), Child):
            event.ended()
            if event.quick_failures >= PATIENCE:
                say(f"{event.name} ended {PATIENCE} times soon after its start: see its last lines above.")
                self.stop()
                return 1
            say(f"ended (exit code {event.exit_code}); starting it again", event.name)
            event.start()
        say("Stopping.")
        self.stop()
        return 0

    def stop(self) -> None:
        """Let every program finish what it is doing; end those that take too long, or all at a second Ctrl-C."""
        deadline = time.monotonic() + GRACE
        for child in self._children:
            child.stop()
        while any(child.runs for child in self._children):
            if self._stop_at_once(deadline):
                break
        for child in self._children:
            child.kill()

    def _stop_at_once(self, deadline: float) -> bool:
        try:
            event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return True
        return isinstance(event, Stop)

    def _add(self, name: str, command: list[str]) -> Child:
        child = Child(name, command, self._events.put)
        self._children.append(child)
        child.start()
        return child
