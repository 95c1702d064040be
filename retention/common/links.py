"""Signed public links: one purpose each, expiring, nothing stored.

A token is `payload:timestamp:signature` with an HMAC-SHA256 signature keyed by purpose, so a token made for one
purpose is refused by every other.
"""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.core.signing import BadSignature, SignatureExpired


class LinkRefused(Exception):
    """The token is forged, damaged, or made for something else."""


class LinkExpired(LinkRefused):
    """The token was good once."""


def sign(purpose: str, *parts: int | str) -> str:
    """A URL-safe token that carries `parts` for one `purpose`."""
    return signing.dumps(list(parts), salt=f"retention.{purpose}", compress=False)


def unsign(purpose: str, token: str, *, max_age: timedelta | None = None) -> list[int | str]:
    """The parts of a token. Raises LinkRefused, or LinkExpired where it is older than `max_age`."""
    try:
        parts: list[int | str] = signing.loads(token, salt=f"retention.{purpose}", max_age=max_age)
    except SignatureExpired as error:
        raise LinkExpired(purpose) from error
    except (BadSignature, ValueError) as error:
        raise LinkRefused(purpose) from error
    return parts


def public_url(path: str) -> str:
    """The absolute address of `path` as customers reach it."""
    return f"{settings.PUBLIC_URL}{path}"
