"""A process that sends when told to: `python -m bench.delivery_worker ours|floor DATABASE PORT SHARE OF`.

It says "ready", then sends once for each line it reads and says how many. `ours` delivers as a worker of the product
does. `floor` is the bare work: recipients read in key order, Django's templates, pipelined SMTP over four connections
held open, one log row per message by COPY. It takes the customers whose id leaves SHARE when divided by OF.
"""

import os
import socket
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import django
from django.conf import settings

BATCH, CONNECTIONS = 1_000, 4
SUBJECT = "We miss you, {{ customer.name }}"
BODY = (
    "<p>Dear {{ customer.name }},</p>{% if customer.country %}<p>greetings to {{ customer.country }}: a lot is new "
    'since your last order.</p>{% endif %}<p><a href="https://example.com/">See what is new</a></p>'
    "<p>If something went wrong last time, just answer this e-mail: a person reads it.</p><p>Your team</p>"
)
TOKEN = "WzEyMzQ1NiwxMl0:1xUqu9:Bu5xHe53NP_DsE5dDP_Ey6_apsy3ABK8kpFrU0FQ80U"


def letter() -> str:
    """The same e-mail as the product's, as one Django template, with addresses as long as signed ones."""
    body = BODY.replace("https://example.com/", "http://localhost:8000/c/TOKEN{{ customer.id }}/")
    text = (Path(__file__).parent / "letter.txt").read_text()
    return text.replace("BODY", body).replace("TOKEN", TOKEN).replace("\n", "\r\n")


def main() -> None:
    what, database, port, share, of = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
    settings.DATABASES["default"]["NAME"] = database
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(port)
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    django.setup()
    send = _ours() if what == "ours" else _floor(int(port), int(share), int(of))
    print("ready", flush=True)
    for _ in sys.stdin:
        print(next(send), flush=True)


def _ours() -> Iterator[int]:
    from campaigns.delivery.channels import Fate  # noqa: PLC0415  # needs Django set up
    from campaigns.delivery.running import deliver  # noqa: PLC0415

    while True:
        yield deliver(600).fates[Fate.SENT]


def _floor(port: int, share: int, of: int) -> Iterator[int]:
    from django.template import Context, Template  # noqa: PLC0415

    template = Template(letter())
    lines = [_Line(port) for _ in range(CONNECTIONS)]
    while True:
        sent = 0
        for batch in _recipients(share, of):
            _send(lines, [(each["email"], template.render(Context({"customer": each}))) for each in batch])
            _log(batch)
            sent += len(batch)
        yield sent


def _recipients(share: int, of: int) -> Iterator[list[dict[str, Any]]]:
    from customers.models import Customer  # noqa: PLC0415

    last = 0
    people = Customer.objects.extra(where=["id %% %s = %s"], params=[of, share]).order_by("id")
    while batch := list(people.filter(id__gt=last).values("id", "name", "email", "country")[:BATCH]):
        yield batch
        last = batch[-1]["id"]


class _Line:
    """One connection; a letter's content goes out together with the next one's envelope."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")
        self.say(b"", 1)
        self.say(b"EHLO floor\r\n", 3)

    def say(self, data: bytes, replies: int) -> None:
        self.tell(data)
        self.hear(replies)

    def tell(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hear(self, replies: int) -> None:
        for _ in range(replies):
            self._replies.readline()


def _send(lines: list[_Line], letters: list[tuple[str, str]]) -> None:
    """By turns over the connections, so that one server answers while another is told."""
    held: dict[_Line, bytes] = {}
    for place, (address, content) in enumerate(letters):
        line = lines[place % len(lines)]
        if line in held:
            line.hear(3)
        envelope = f"MAIL FROM:<hello@example.test>\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode()
        line.tell(held.get(line, b"") + envelope)
        if line in held:
            line.hear(1)
        held[line] = content.encode() + b".\r\n"
    for line, last in held.items():
        line.hear(3)
        line.say(last, 1)


def _log(batch: list[dict[str, Any]]) -> None:
    from django.db import connection  # noqa: PLC0415

    rows = StringIO("".join(f"{person['id']}\tsent\n" for person in batch))
    with connection.cursor() as cursor, cursor.copy("COPY bench_log FROM STDIN") as copy:
        copy.write(rows.read())


if __name__ == "__main__":
    main()
