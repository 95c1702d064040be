"""A mail server to send to: it keeps what it accepted and can misbehave towards chosen recipients."""

import asyncio
import email
import email.policy
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

logging.getLogger("mail.log").setLevel(logging.ERROR)


class Sink:
    """`ways` says what happens to a recipient: a reply such as "451 later", at "rcpt" or "data", or "drop".

    A way is taken so many times, then the recipient is treated well.
    """

    def __init__(self, *, pipelining: bool = True) -> None:
        self.accepted: list[tuple[str, bytes]] = []
        self.ways: dict[str, list[tuple[str, str]]] = {}
        self.delay = 0.0
        self.sessions = 0
        self.received = threading.Event()
        self._pipelining = pipelining
        self.port = 0

    def treat(self, recipient: str, at: str, how: str, times: int = 1_000) -> None:
        self.ways.setdefault(recipient, []).extend([(at, how)] * times)

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.accepted]

    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(content, policy=email.policy.default) for _, content in self.accepted]

    def _way(self, recipient: str, at: str) -> str:
        ways = self.ways.get(recipient, [])
        if ways and ways[0][0] == at:
            return ways.pop(0)[1]
        return ""

    # aiosmtpd's hooks
    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.sessions += 1
        return [*responses[:-1], *(["250-PIPELINING"] if self._pipelining else []), responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        way = self._way(address, "rcpt")
        if way == "drop":
            self._drop(server)
        if way:
            return way
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        recipient = envelope.rcpt_tos[0]
        way = self._way(recipient, "data")
        if way.startswith(("4", "5")):
            return way
        if way == "lose":  # it dies before it has kept anything
            self._drop(server)
            return "250 never seen"
        if self.delay:
            await asyncio.sleep(self.delay)
        self.accepted.append((recipient, envelope.original_content or b""))
        self.received.set()
        if way == "drop":  # it has kept the message, and dies before it can say so
            self._drop(server)
        return "250 kept"

    @staticmethod
    def _drop(server: SMTP) -> None:
        transport: Any = server.transport
        transport.abort()


class AnyPort(Controller):
    """Listens on whatever port is free, and says which."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def serving(sink: Sink, **how: Any) -> Iterator[int]:
    """Run the sink on a port of its own, as the options of aiosmtpd's say; gives the port."""
    controller = AnyPort(sink, hostname="127.0.0.1", port=0, timeout=60, **how)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def wait_until(what: Any, seconds: float = 120) -> None:
    """Wait for a condition that another thread or process brings about."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
