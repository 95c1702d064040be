"""A mail server that takes everything, as fast as Python allows, and counts it. It runs as a process of its own.

It knows just enough of SMTP for a sender to be at ease: EHLO with PIPELINING, MAIL, RCPT, DATA, RSET, NOOP, QUIT. How
many it took it says on standard output whenever it reads a line on standard input.
"""

import asyncio
import sys

END = b"\r\n.\r\n"
ANSWERS = {
    b"MAIL": b"250 fine\r\n",
    b"RCPT": b"250 fine\r\n",
    b"RSET": b"250 fine\r\n",
    b"NOOP": b"250 fine\r\n",
    b"HELO": b"250 sink\r\n",
    b"EHLO": b"250-sink\r\n250-8BITMIME\r\n250 PIPELINING\r\n",
    b"DATA": b"354 go\r\n",
    b"QUIT": b"221 bye\r\n",
}
taken = 0


class Sink(asyncio.Protocol):
    """One connection. Commands and content may come in any portions."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._held = b""
        self._in_content = False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._held += data
        answers: list[bytes] = []
        while self._content(answers) if self._in_content else self._command(answers):
            pass
        if answers:
            self.transport.write(b"".join(answers))

    def _command(self, answers: list[bytes]) -> bool:
        """Answer one command; False where a whole one has not come yet."""
        line, ended, rest = self._held.partition(b"\r\n")
        if not ended:
            return False
        self._held = rest
        verb = line[:4].upper()
        answers.append(ANSWERS.get(verb, b"502 no\r\n"))
        if verb == b"DATA":
            self._in_content = True
            self._held = b"\r\n" + self._held
        return True

    def _content(self, answers: list[bytes]) -> bool:
        global taken  # noqa: PLW0603  # the one number this process is for
        end = self._held.find(END)
        if end < 0:
            return False
        self._held = self._held[end + len(END) :]
        self._in_content = False
        taken += 1
        answers.append(b"250 taken\r\n")
        return True


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(taken, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
