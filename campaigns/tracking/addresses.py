"""The signed addresses in a message. A token names a message (and a stored link) and never carries a target."""

from datetime import timedelta
from functools import cache

from django.urls import reverse

from retention.common.links import public_url, sign, unsign

CLICK, OPEN, UNSUBSCRIBE = "campaigns.click", "campaigns.open", "campaigns.unsubscribe"
TRACKED_FOR = timedelta(days=400)
UNSUBSCRIBE_FOR = timedelta(days=5 * 365)
_HERE = "token"


@cache
def _around(name: str) -> tuple[str, str]:
    """What stands before and after the token in a public address."""
    before, _, after = public_url(reverse(name, args=[_HERE])).rpartition(_HERE)
    return before, after


def _address(name: str, token: str) -> str:
    before, after = _around(name)
    return f"{before}{token}{after}"


def click_address(message_id: int, link_id: int) -> str:
    return _address("campaigns:click", sign(CLICK, message_id, link_id))


def open_address(message_id: int) -> str:
    return _address("campaigns:open", sign(OPEN, message_id))


def open_prefix() -> str:
    """What every pixel's address begins with."""
    return _around("campaigns:open")[0]


def unsubscribe_address(message_id: int) -> str:
    return _address("campaigns:unsubscribe", sign(UNSUBSCRIBE, message_id))


def example_unsubscribe_address() -> str:
    """For previews and test messages: it opens the kind page for links that do not work."""
    return _address("campaigns:unsubscribe", "preview")


def read_click(token: str) -> tuple[int, int]:
    """Message and link. Raises LinkRefused, or LinkExpired."""
    message_id, link_id = unsign(CLICK, token, max_age=TRACKED_FOR)
    return int(message_id), int(link_id)


def read_open(token: str) -> int:
    return int(unsign(OPEN, token, max_age=TRACKED_FOR)[0])


def read_unsubscribe(token: str) -> int:
    return int(unsign(UNSUBSCRIBE, token, max_age=UNSUBSCRIBE_FOR)[0])
