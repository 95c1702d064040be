"""What carries a message: the small interface every channel has, and what it says of each letter."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol


class Unreachable(Exception):
    """The channel cannot take anything now; nothing of ours has left. The text says why."""


class Fate(StrEnum):
    """What came of putting a letter on the wire."""

    SENT = "sent"
    RETRY = "retry"  # it certainly did not arrive, and may be tried again
    FAILED = "failed"  # it certainly did not arrive, and never will
    UNKNOWN = "unknown"  # it may have arrived


class Letter(NamedTuple):
    """One message ready for the wire. `content` has CRLF line ends."""

    message_id: int
    sender: str
    recipient: str
    content: bytes


class Outcome(NamedTuple):
    """A letter's fate, with the answer it got (SMTP code and text, or words of ours)."""

    message_id: int
    fate: Fate
    code: int | None = None
    reply: str = ""


class Channel(Protocol):
    name: str

    def open(self) -> None:
        """Be ready to send. Raises Unreachable."""

    def send(self, letters: Sequence[Letter], seconds: float) -> list[Outcome]:
        """Put each letter on the wire once and say what came of it, in any order; those not begun in time are RETRY.

        Never raises for what a server does.
        """

    def close(self) -> None:
        """Let go of connections; `open` makes new ones."""
