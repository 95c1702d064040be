"""Instants written as text."""

from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured


def parse_instant(text: str, *, variable: str) -> datetime | None:
    """An ISO 8601 instant with its zone (`2011-12-10T00:00:00Z`), or None where the text is empty.

    Raises ImproperlyConfigured, naming the variable, where it is anything else.
    """
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{variable} is not an ISO 8601 instant: {text!r}.") from error
    if instant.tzinfo is None:
        raise ImproperlyConfigured(f"{variable} needs a time zone, for example {text}Z.")
    return instant.astimezone(UTC)
