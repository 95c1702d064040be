"""Signed public links: one purpose each, expiring, nothing stored.

A token is `payload:timestamp:signature` with an HMAC-SHA256 signature keyed by purpose, so a token made for one
purpose is refused by every other.
"""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.core import signing
from django.core.signing import BadSignature, SignatureExpired
from django.utils.crypto import salted_hmac


class LinkRefused(Exception):
    """The token is forged, damaged, or made for something else."""


class LinkExpired(LinkRefused):
    """The token was good once."""


def sign(purpose: str, *parts: int | str) -> str:
    """A URL-safe token that carries `parts` for one `purpose`.

    The same as `django.core.signing.dumps` gives, at a third of its cost: a campaign signs several for each message.
    """
    payload = urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode("latin-1")).rstrip(b"=")
    signed = payload + b":" + signing.b62_encode(int(time.time())).encode()
    keyed = _keyed(purpose, settings.SECRET_KEY).copy()
    keyed.update(signed)
    return (signed + b":" + urlsafe_b64encode(keyed.digest()).rstrip(b"=")).decode()


@cache
def _keyed(purpose: str, secret: str) -> hmac.HMAC:
    """The hash that a purpose's signatures begin from."""
    return salted_hmac(f"retention.{purpose}signer", b"", secret=secret, algorithm="sha256")


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
