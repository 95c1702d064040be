"""API keys: made once, shown once, found by their hash, withdrawn for good.

A key is 32 random bytes, so that a plain SHA-256 of it cannot be guessed back; a slow hash would only slow requests.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import Q

from retention.common import clock
from retention.workspace.models import ApiKey, User

BEGINNING = "ret_"
PREFIX = 12
NOTED = timedelta(minutes=1)
"""When a key was last used is written at most so often."""


class NameTaken(Exception):
    """A key in use has this name."""


class Refused(Exception):
    """The key lets nobody in; the text says why, to whoever holds it."""


@dataclass(frozen=True)
class Wish:
    """A key as somebody asks for it."""

    name: str
    person: User
    role: str
    writes: bool
    expires_at: datetime | None = None


def make(wish: Wish, by: User) -> tuple[ApiKey, str]:
    """A new key and its text, which is told here and never again. Raises NameTaken."""
    text = BEGINNING + secrets.token_urlsafe(32)
    key = ApiKey(**vars(wish), prefix=text[:PREFIX], digest=_digest(text), created_by=by, created_at=clock.now())
    try:
        with transaction.atomic():
            key.save()
    except IntegrityError as taken:
        raise NameTaken from taken
    return key, text


def find(text: str) -> ApiKey:
    """The key of this text, with its person. One query, by the index on hashes. Raises Refused."""
    key = ApiKey.objects.select_related("person").filter(digest=_digest(text)).first()
    if key is None:
        raise Refused("There is no such key.")
    if key.revoked_at:
        raise Refused("This key was withdrawn.")
    if key.expires_at and key.expires_at <= clock.now():
        raise Refused("This key has expired.")
    if not key.person.is_active:
        raise Refused("The account that this key acts for is switched off.")
    return key


def note_use(key: ApiKey) -> None:
    """Keep that the key is used now, unless that was noted within the last minute, or another request just does it."""
    now = clock.now()
    if key.last_used_at and now - NOTED < key.last_used_at <= now:
        return
    free = ApiKey.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=key.pk)
    with transaction.atomic():
        ApiKey.objects.filter(pk__in=free.values("pk")).update(last_used_at=now)


def revoke(pk: int, by: User) -> bool:
    """Withdraw a key at once and for good; False where it is withdrawn already."""
    return bool(ApiKey.objects.filter(Q(revoked_at=None), pk=pk).update(revoked_at=clock.now(), revoked_by=by))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
