"""From a text filled in to an e-mail's bytes: headers, the frame around the words, footer, tracked links, pixel.

The bytes are put together by hand: the standard library's e-mail classes cost more than sending does. Everything
that comes from outside goes through a function here that cannot let a line break into a header.
"""

import binascii
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from html import escape
from typing import NamedTuple

from campaigns.rendering.sandbox import Rendered
from retention.workspace.models import Workspace

_ATOM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.")
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
SUBJECT_LENGTH, LINE_LENGTH = 250, 990


class BadAddress(Exception):
    """Not an address that mail can go to."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every message of a workspace shares: who sends it, and what stands around the words."""

    sender: str
    from_header: str
    domain: str
    top: str
    foot: str
    text_foot: str
    date: str


class Addresses(NamedTuple):
    """The signed addresses of one message. `clicks` stand for the rendered links, in order; `pixel` may be empty."""

    clicks: list[str]
    unsubscribe: str
    pixel: str


def frame(workspace: Workspace, now: datetime) -> Frame:
    """The frame of the workspace's mail at `now`: its name, colour and postal address."""
    name = workspace.sender_name or workspace.name
    sender = wire_address(workspace.sender_address)
    postal = workspace.imprint
    return Frame(
        sender=sender,
        from_header=f"{_phrase(name)} <{sender}>",
        domain=sender.rpartition("@")[2],
        top=_TOP.format(name=escape(workspace.name), colour=escape(workspace.colour)),
        foot=_FOOT.format(postal=escape(postal)),
        text_foot=f"-- \r\n{postal}\r\nUnsubscribe: ",
        date=format_datetime(now),
    )


_TOP = (
    '<!doctype html>\r\n<html><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light"></head>'
    '<body style="margin:0;padding:0;background:#f4f5f7">'
    '<div style="display:none;max-height:0;overflow:hidden">{{preheader}}</div>\r\n'
    '<div style="max-width:600px;margin:0 auto;padding:24px 16px;'
    'font:16px/1.5 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;color:#1d2433">'
    '<div style="padding:0 0 16px;font-weight:600;color:{colour}">{name}</div>'
    '<div style="background:#ffffff;border-radius:8px;padding:24px">\r\n'
)
_FOOT = (
    '\r\n</div><div style="padding:16px 0;font-size:13px;color:#5c6470">{postal}<br>'
    '<a href="{{unsubscribe}}" style="color:#5c6470">Unsubscribe</a></div>\r\n{{pixel}}</div></body></html>'
)


def wire_address(address: str) -> str:
    """`address` as it goes on the wire, its domain in ASCII. Raises BadAddress for anything that is not one address."""
    local, at, host = address.strip().rpartition("@")
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise BadAddress(address) from error
    if not (at and local and ascii_host and _ATOM.issuperset(local) and _HOST.issuperset(ascii_host)):
        raise BadAddress(address)
    return f"{local}@{ascii_host}"


def message_id(dedupe_key: str, domain: str) -> str:
    """The same for every attempt of a message, so that a copy can be told from a second message."""
    return f"<{dedupe_key[:40]}@{domain}>"


def compose(around: Frame, rendered: Rendered, recipient: str, key: str, addresses: Addresses) -> bytes:
    """The whole e-mail, lines ended by CRLF, none longer than 998 bytes. `recipient` has been through wire_address."""
    boundary = f"=_{key[:40]}"
    page = _page(around, rendered, addresses).encode()
    words = f"{rendered.text}\r\n\r\n{around.text_foot}{addresses.unsubscribe}\r\n".encode()
    head = (
        f"From: {around.from_header}\r\n"
        f"To: {recipient}\r\n"
        f"Subject: {_unstructured(rendered.subject)}\r\n"
        f"Date: {around.date}\r\n"
        f"Message-ID: {message_id(key, around.domain)}\r\n"
        f"List-Unsubscribe: <{addresses.unsubscribe}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    )
    return b"".join(
        (
            head.encode("ascii"),
            _part(boundary, "plain", words),
            _part(boundary, "html", page),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _page(around: Frame, rendered: Rendered, addresses: Addresses) -> str:
    pieces = list(rendered.pieces)
    pieces[1::2] = [escape(address) for address in addresses.clicks]
    pixel = f'<img src="{escape(addresses.pixel)}" width="1" height="1" alt="">' if addresses.pixel else ""
    top = around.top.replace("{preheader}", escape(rendered.preheader))
    foot = around.foot.replace("{unsubscribe}", escape(addresses.unsubscribe)).replace("{pixel}", pixel)
    return "".join((top, *pieces, foot))


def page(around: Frame, rendered: Rendered, unsubscribe: str) -> str:
    """The HTML as its recipient sees it, links untracked."""
    return _page(around, rendered, Addresses(clicks=rendered.addresses, unsubscribe=unsubscribe, pixel=""))


def _part(boundary: str, subtype: str, content: bytes) -> bytes:
    """One alternative: as it is where mail can carry that (RFC 5322, 2.1.1), else quoted-printable."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    plain = lines.isascii() and b"\0" not in lines and max(map(len, lines.split(b"\r\n"))) <= LINE_LENGTH
    head = (
        f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {'7bit' if plain else 'quoted-printable'}\r\n\r\n"
    )
    return head.encode() + (lines if plain else binascii.b2a_qp(lines)) + b"\r\n"


def _unstructured(text: str) -> str:
    """A header's value: one line of ASCII, encoded where it has to be."""
    line = "".join(sign if sign.isprintable() else " " for sign in text)[:SUBJECT_LENGTH]
    return line if line.isascii() and "=?" not in line else Header(line, "utf-8").encode(linesep="\r\n")


def _phrase(name: str) -> str:
    """A display name, quoted or encoded."""
    line = _unstructured(name)
    if line.startswith("=?"):
        return line
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'
