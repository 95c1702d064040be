"""The places of the navigation. A place shows where its address exists and the person may open it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse

from retention.workspace.models import User

#: Numbers from here on stand for those of an address, and are no part of one otherwise.
STAND = 7_310_000_000


@dataclass(frozen=True)
class Place:
    label: str
    view: str
    icon: str


@dataclass(frozen=True)
class Entry:
    """A place as one person sees it."""

    label: str
    icon: str
    url: str
    here: bool


PLACES = (
    Place("Today", "customers:today", "checklist"),
    Place("Customers", "customers:list", "users"),
    Place("Segments", "customers:segments", "filter"),
    Place("Campaigns", "campaigns:list", "send"),
    Place("Surveys", "surveys:list", "message-2"),
    Place("Loyalty", "loyalty:list", "gift"),
    Place("Metrics", "metrics:overview", "chart-bar"),
    Place("Data", "customers:imports", "database"),
    Place("Settings", "workspace:settings", "settings"),
)


@cache
def address(view: str) -> tuple[str, str] | None:
    """Where a view without arguments is and what it asks of a person, or None where there is none."""
    try:
        url = reverse(view)
    except NoReverseMatch:
        return None
    return url, getattr(resolve(url).func, "admits", "")


def page_of(view: str, *args: int) -> str:
    """The address of a page about something, or "" where no room has one."""
    form = _form(view, len(args))
    return form.format(*args) if form else ""


@cache
def _form(view: str, numbers: int) -> str:
    """A view's address with places for its numbers, since to work one out for each line of a list takes long."""
    stands = range(STAND, STAND + numbers)
    try:
        url = reverse(view, args=stands)
    except NoReverseMatch:
        return ""
    for number in stands:
        url = url.replace(str(number), "{}")
    return url


def url_for(user: User, view: str) -> str | None:
    """The address of a view that the person may open."""
    found = address(view)
    return found[0] if found and user.can(found[1]) else None


def places(request: HttpRequest) -> Iterator[Entry]:
    """The places that the request's person may open, in their order; the one they are in is marked."""
    if not request.user.is_authenticated:
        return
    for place in PLACES:
        if url := url_for(request.user, place.view):
            yield Entry(place.label, place.icon, url, request.path.startswith(url))
