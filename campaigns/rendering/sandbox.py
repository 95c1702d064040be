"""Rendering users' text in a limited process of its own, kept for many batches and replaced when it dies."""

import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from campaigns.rendering import child

PROGRAM = Path(child.__file__)
ALONE_SECONDS = 1.0
"""CPU time one message may take."""
TOO_MUCH = "The text takes too much time or memory to fill in."
DEATHS_ALLOWED = 3
PATIENCE = 60.0
"""Seconds in which the process starts, and in which it answers beside its CPU time, however busy the machine."""
SIGNALS = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
"""What whoever stops or kills a process sends; what a text does ends it in other ways."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What a person wrote: subject and preheader plain, body HTML, all Liquid."""

    subject: str
    preheader: str
    body: str


class Rendered(NamedTuple):
    """A text filled in. `pieces` is the HTML cut at its link targets: text, address, text, …, text."""

    subject: str
    preheader: str
    pieces: list[str]
    text: str

    @property
    def addresses(self) -> list[str]:
        return self.pieces[1::2]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A text that could not be filled in, and why, in words."""

    reason: str


Result = Rendered | Unfit


class Died(Exception):
    """The process was ended: it took too much time or memory."""


class Broken(Exception):
    """The process does not start, or says nothing: no text is at fault, and none may be judged by it."""


class Sandbox:
    """One rendering process, started when first needed. Threads take turns."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def render(self, texts: Texts, variables: Sequence[dict[str, Any]], *, strict: bool = False) -> list[Result]:
        """Fill `texts` in for each of `variables`, in order. With `strict`, an unknown variable is an error.

        A customer whose text takes too much is Unfit; the others are rendered all the same. After a few such, the
        text itself is at fault and the rest are Unfit too. Raises Broken.
        """
        with self._turn:
            try:
                return self._ask(texts, variables, strict, ALONE_SECONDS + 0.005 * len(variables))
            except Died:
                return self._one_by_one(texts, variables, strict) if len(variables) > 1 else [Unfit(TOO_MUCH)]

    def close(self) -> None:
        """End the process; the next render starts another."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _one_by_one(self, texts: Texts, variables: Sequence[dict[str, Any]], strict: bool) -> list[Result]:
        results: list[Result] = []
        deaths = 0
        for each in variables:
            try:
                results += self._ask(texts, [each], strict, ALONE_SECONDS) if deaths < DEATHS_ALLOWED else []
            except Died:
                deaths += 1
                results.append(Unfit(TOO_MUCH))
        return results + [Unfit(TOO_MUCH)] * (len(variables) - len(results))

    def _ask(self, texts: Texts, variables: Sequence[dict[str, Any]], strict: bool, seconds: float) -> list[Result]:
        frame = {
            "texts": {"": [texts.subject, texts.preheader, texts.body]},
            "jobs": [["", each] for each in variables],
            "strict": strict,
            "seconds": seconds,
        }
        process = self._running()
        try:
            child.write(_pipe(process.stdin), frame)
            answers = self._answer(process, PATIENCE + 5 * seconds)
        except OSError:
            answers = None
        if answers is None:
            is_ended_by_others = -process.wait() in SIGNALS
            self.close()
            raise Broken("The program that fills texts in was killed.") if is_ended_by_others else Died
        return [Unfit(each) if isinstance(each, str) else Rendered(*each) for each in answers]

    def _running(self) -> "subprocess.Popen[bytes]":
        """A process that has said that it is ready: before, it would not read what it is sent."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = _start()
            if self._answer(self._process, PATIENCE) is None:
                self.close()
                raise Broken("The program that fills texts in does not start.")
        return self._process

    def _answer(self, process: "subprocess.Popen[bytes]", patience: float) -> Any:
        """What the process says, None where it died. Raises Broken where it says nothing for `patience` seconds."""
        output = _pipe(process.stdout)
        ready, _, _ = select.select([output], [], [], patience)
        if not ready:
            self.close()
            raise Broken(f"The program that fills texts in said nothing for {patience:.0f} seconds.")
        return child.read(output)


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  # our own program, nothing of the user's in the command
        [sys.executable, "-I", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    )


def _pipe(pipe: IO[bytes] | None) -> Any:
    return pipe
