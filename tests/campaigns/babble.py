"""A mail server that answers one letter's content with a line that is no reply at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

ANSWERS = {b"EHLO": b"250-here\r\n250 PIPELINING", b"DATA": b"354 go on", b"QUIT": b"221 bye"}


@contextmanager
def babbling(at: int) -> Iterator[tuple[str, int]]:
    """Where it listens. The `at`th letter's content is answered with babble, all else as it should be."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, at), daemon=True).start()
        yield listening.getsockname()
        listening.shutdown(socket.SHUT_RDWR)  # wakes the thread, which a closed socket would not


def _serve(listening: socket.socket, at: int) -> None:
    letters = count(1)
    with suppress(OSError):
        while True:
            connected, _ = listening.accept()
            with connected, suppress(OSError):
                _talk(connected, at, letters)


def _talk(connected: socket.socket, at: int, letters: Iterator[int]) -> None:
    inside = False
    connected.sendall(b"220 here\r\n")
    for line in connected.makefile("rb"):
        if inside and line != b".\r\n":
            continue
        if inside:
            inside = False
            answer = b"okay then" if next(letters) == at else b"250 kept"
        else:
            answer = ANSWERS.get(line[:4].upper(), b"250 fine")
            inside = answer.startswith(b"354")
        connected.sendall(answer + b"\r\n")
