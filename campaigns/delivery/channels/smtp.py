"""SMTP: connections kept open, commands pipelined where the server says it can (RFC 2920), failures told apart.

What matters is when a letter fails. Before its content has begun to leave, it certainly did not arrive: a 4xx or a
broken connection means trying again, a 5xx for this recipient or content means never. Once the content has begun to
leave, only the server's answer tells; without one nobody knows.
"""

import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from campaigns.delivery.channels import Fate, Letter, Outcome, Unreachable

TIMEOUT = 30
"""Seconds to wait for one answer of the server."""
READY, GO_AHEAD, CLOSING = 250, 354, 421
LOST = (OSError, smtplib.SMTPException)


@dataclass(frozen=True)
class Server:
    """Where mail goes. `tls` from the first byte on, or `starttls` after the greeting."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False
    starttls: bool = False


class SmtpChannel:
    """Several connections to one server, each working on its share of the letters."""

    name = "smtp"

    def __init__(self, server: Server, connections: int) -> None:
        self._lines = [Line(server) for _ in range(connections)]
        self._crew = ThreadPoolExecutor(connections, "smtp") if connections > 1 else None

    def open(self) -> None:
        """Connect the first line; the others connect when they get letters."""
        try:
            self._lines[0].connect()
        except LOST as error:
            raise Unreachable(in_words(error)) from error

    def send(self, letters: Sequence[Letter], seconds: float) -> list[Outcome]:
        until = time.monotonic() + seconds
        if self._crew is None or len(letters) < len(self._lines):
            return self._lines[0].send(letters, until)
        shares = [letters[number :: len(self._lines)] for number in range(len(self._lines))]
        done = self._crew.map(lambda line, share: line.send(share, until), self._lines, shares)
        return [outcome for outcomes in done for outcome in outcomes]

    def close(self) -> None:
        for line in self._lines:
            line.hang_up()


class Line:
    """One connection, opened when needed and again after it broke."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._talk: Talk | None = None

    def connect(self) -> "Talk":
        """The open conversation. Raises OSError or SMTPException."""
        if self._talk is None:
            self._talk = Talk(_dial(self._server))
        return self._talk

    def send(self, letters: Sequence[Letter], until: float) -> list[Outcome]:
        outcomes: list[Outcome] = []
        while len(outcomes) < len(letters) and time.monotonic() < until:
            try:
                talk = self.connect()
            except LOST as error:
                return outcomes + _not_begun(letters[len(outcomes) :], in_words(error))
            outcomes += talk.send(letters[len(outcomes) :], until)
            if not talk.alive:
                self.hang_up()
        return outcomes + _not_begun(letters[len(outcomes) :], "There was no time left to send it.")

    def hang_up(self) -> None:
        if self._talk is not None:
            self._talk.end()
            self._talk = None


class Talk:
    """A conversation with a server that has greeted us."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client
        self._pipelining = client.has_extn("pipelining")
        self.alive = True

    def send(self, letters: Sequence[Letter], until: float) -> Iterator[Outcome]:
        """One outcome per letter, in order; stops early, with at least one, when the connection breaks."""
        announced = False
        for place, letter in enumerate(letters):
            if not self.alive or time.monotonic() >= until:
                self.alive = self.alive and not announced
                return
            refused = self._refused(letter, announced=announced)
            announced = False
            if refused is None:
                following = letters[place + 1] if place + 1 < len(letters) else None
                announced = self._pipelining and following is not None
                refused = self._hand_over(letter, following if announced else None)
            yield refused

    def end(self) -> None:
        """Say goodbye where anybody still listens."""
        with contextlib.suppress(*LOST):
            if self.alive:
                self._client.quit()
        self._client.close()

    def _refused(self, letter: Letter, *, announced: bool) -> Outcome | None:
        """Announce the letter; its outcome where the server will not have it. The content has not begun to leave."""
        try:
            if not announced:
                self._write(_announcement(letter) if self._pipelining else _commands(letter)[0])
            answers = self._answers(letter)
            outcome = _judge_announcement(letter, answers)
            if outcome is not None:
                self._clear(answers)
            return outcome
        except LOST as error:
            self.alive = False
            return Outcome(letter.message_id, Fate.RETRY, reply=in_words(error))

    def _answers(self, letter: Letter) -> list[tuple[int, bytes]]:
        """To MAIL, RCPT and DATA; fewer where a step was refused and the commands go one by one."""
        if self._pipelining:
            return [self._client.getreply() for _ in range(3)]
        answers = [self._client.getreply()]
        for command in _commands(letter)[1:]:
            if not _welcome(answers[-1][0]):
                break
            self._write(command)
            answers.append(self._client.getreply())
        return answers

    def _clear(self, answers: list[tuple[int, bytes]]) -> None:
        """After a refusal, be where the next letter can be announced."""
        if answers[-1][0] == GO_AHEAD:
            self._write(b".\r\n")  # refused, and yet asked for content: there is none
            self._client.getreply()
        if any(code == CLOSING for code, _ in answers):
            self.alive = False
            return
        self._write(b"RSET\r\n")
        self._client.getreply()

    def _hand_over(self, letter: Letter, following: Letter | None) -> Outcome:
        """The content, and in the same breath the announcement of the next letter; then the server's answer."""
        payload = _stuffed(letter.content) + b".\r\n"
        try:
            self._write(payload + _announcement(following) if following else payload)
            code, text = self._client.getreply()
        except LOST as error:
            self.alive = False
            return Outcome(letter.message_id, Fate.UNKNOWN, reply=in_words(error))
        if code == CLOSING or not 200 <= code < 600:
            self.alive = False
        return _replied(letter, _fate(code, neither=Fate.UNKNOWN), code, text)

    def _write(self, data: bytes) -> None:
        connected = self._client.sock
        if connected is None:
            raise smtplib.SMTPServerDisconnected("The connection was closed.")
        connected.sendall(data)


def in_words(error: Exception) -> str:
    """What went wrong with the connection, short enough to keep."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"[:200]
    if isinstance(error, TimeoutError):
        return "The mail server did not answer in time."
    return f"The connection to the mail server broke: {error}"[:200]


@cache
def _trust() -> ssl.SSLContext:
    """Whom to trust: read once, for it takes longer than to send some dozens of letters."""
    return ssl.create_default_context()


def _dial(server: Server) -> smtplib.SMTP:
    client = (
        smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=_trust())
        if server.tls
        else smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
    )
    try:
        if server.starttls:
            client.starttls(context=_trust())
        client.ehlo_or_helo_if_needed()
        if server.user:
            client.login(server.user, server.password)
    except LOST:
        client.close()
        raise
    if client.sock is not None:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _commands(letter: Letter) -> tuple[bytes, bytes, bytes]:
    return (
        f"MAIL FROM:<{letter.sender}>\r\n".encode("ascii"),
        f"RCPT TO:<{letter.recipient}>\r\n".encode("ascii"),
        b"DATA\r\n",
    )


def _announcement(letter: Letter) -> bytes:
    return b"".join(_commands(letter))


def _welcome(code: int) -> bool:
    return 200 <= code < 300


def _judge_announcement(letter: Letter, answers: list[tuple[int, bytes]]) -> Outcome | None:
    """None where the server waits for the content."""
    if len(answers) == 3 and _welcome(answers[0][0]) and _welcome(answers[1][0]) and answers[2][0] == GO_AHEAD:
        return None
    step = next((n for n, (code, _) in enumerate(answers) if not _welcome(code)), len(answers) - 1)
    code, text = answers[step]
    # A sender that is refused is our own trouble, and every recipient's: it must not use the messages up.
    fate = Fate.FAILED if step > 0 and _fate(code) == Fate.FAILED else Fate.RETRY
    return _replied(letter, fate, code, text)


def _replied(letter: Letter, fate: Fate, code: int, text: bytes) -> Outcome:
    """The outcome with the server's reply. A line that is no reply (RFC 5321, 4.2) has no code."""
    return Outcome(letter.message_id, fate, code if 200 <= code < 600 else None, _text(text))


def _fate(code: int, neither: Fate = Fate.RETRY) -> Fate:
    """What a reply code says; `neither` for one that is no answer to this."""
    return {2: Fate.SENT, 4: Fate.RETRY, 5: Fate.FAILED}.get(code // 100, neither)


def _stuffed(content: bytes) -> bytes:
    """Dots at the beginning of lines doubled (RFC 5321, 4.5.2); ends with a line end."""
    doubled = content.replace(b"\r\n.", b"\r\n..")
    if doubled.startswith(b"."):
        doubled = b"." + doubled
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"


def _text(reply: bytes | str) -> str:
    return (reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply)[:200]


def _not_begun(letters: Sequence[Letter], why: str) -> list[Outcome]:
    return [Outcome(letter.message_id, Fate.RETRY, reply=why) for letter in letters]
