"""The outbox folder, read: what would have left, had there been a mail server."""

import email
import email.policy
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path

from django.conf import settings

from campaigns.tracking.addresses import open_prefix

NAME = re.compile(r"\d{4}-\d\d-\d\d/\d{12}-\d+\.eml")


@dataclass(frozen=True)
class Waiting:
    """One file of the folder."""

    name: str
    message_id: int | None
    sender: str
    to: str
    subject: str
    at: datetime


@dataclass(frozen=True)
class Mail:
    """A mail opened: its HTML without the pixel that would count its reading, and its plain text."""

    head: Waiting
    html: str
    text: str


def latest(skip: int, limit: int, of: Container[int] | None = None) -> list[Waiting]:
    """The latest mails, newest first; `of` these messages where given, 0 standing for tests. Days are folders, and
    times and messages are in the names: no more is read than is shown."""
    names = (name for name in _names() if of is None or _number(name) in of)
    return [_head(name) for name in islice(names, skip, skip + limit)]


def read(name: str) -> Mail | None:
    """One mail by its name, or None where there is no such file."""
    if not NAME.fullmatch(name) or not (_folder() / name).is_file():
        return None
    message = _parse(name)
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    html = parts.get("text/html", "").replace(open_prefix(), "data:,")
    return Mail(_told(name, message), html, parts.get("text/plain", ""))


def _folder() -> Path:
    return Path(settings.OUTBOX_DIR)


def _names() -> Iterator[str]:
    """Every mail's name, newest first, a day at a time."""
    for day in sorted((day.name for day in _folder().glob("????-??-??")), reverse=True):
        files = (path.name for path in (_folder() / day).glob("*.eml"))
        yield from (f"{day}/{name}" for name in sorted(files, reverse=True))


def _head(name: str) -> Waiting:
    return _told(name, _parse(name))


def _parse(name: str) -> EmailMessage:
    return email.message_from_bytes((_folder() / name).read_bytes(), policy=email.policy.default)


def _number(name: str) -> int:
    """The message's id; 0 for a test."""
    return int(name.rpartition("-")[2].removesuffix(".eml"))


def _told(name: str, message: EmailMessage) -> Waiting:
    at = parsedate_to_datetime(str(message["Date"])).astimezone(UTC)
    sender, to, subject = (str(message[header]) for header in ("From", "To", "Subject"))
    return Waiting(name, _number(name) or None, sender, to, subject, at)
