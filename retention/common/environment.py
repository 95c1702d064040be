"""Settings from environment variables. A wrong value stops the start with a sentence that names the variable."""

import os
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def text(name: str, default: str = "") -> str:
    """The variable without spaces around it; the default where it is not set or empty."""
    return os.environ.get(name, "").strip() or default


def words(name: str, default: Collection[str] = ()) -> list[str]:
    """A list with commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def flag(name: str, default: bool) -> bool:
    given = text(name).lower()
    if given not in YES | NO | {""}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {given!r}.")
    return given in YES if given else default


def number(name: str, default: int, *, least: int = 0) -> int:
    given = text(name, str(default))
    if not given.isdecimal() or int(given) < least:
        sort = f"a whole number, at least {least}" if least else "a whole number"
        raise ImproperlyConfigured(f"{name} must be {sort}, not {given!r}.")
    return int(given)


def choice(name: str, choices: Collection[str], default: str) -> str:
    given = text(name, default)
    if given not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {given!r}.")
    return given


def url(name: str, schemes: Collection[str], default: str = "") -> str:
    """An address; empty where there is none. A complaint does not repeat it: it may hold a password."""
    given = text(name, default)
    parts = urlsplit(given)
    if given and (parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/"))):
        raise ImproperlyConfigured(
            f"{name} must be an address that begins with {' or '.join(f'{s}://' for s in schemes)}."
        )
    return given


def folder(name: str, default: Path) -> Path:
    """A folder, made where there is none."""
    path = Path(text(name, str(default))).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {path} cannot be made ({error.strerror}).") from error
    return path
