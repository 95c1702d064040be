"""The places of the navigation. A place shows where its address exists and the person may open it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.urls import NoReverseMatch, resolve, reverse

from retention.workspace.models import User
from retention.workspace.roles import GRANTS

#: Numbers from here on stand for those of an address, and are no part of one otherwise.
STAND = 7_310_000_000


@dataclass(frozen=True)
class Place:
    """`also` are the beginnings of addresses that belong to it and do not begin with its own."""

    label: str
    view: str
    icon: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A place as one person sees it."""

    label: str
    icon: str
    url: str
    here: bool


PLACES = (
    Place("Today", "customers:today", "checklist", ("/playbooks/", "/cases/", "/plans/")),
    Place("Customers", "customers:list", "users", ("/orders/", "/subscriptions/")),
    Place("Segments", "customers:segments", "filter"),
    Place("Campaigns", "campaigns:list", "send"),
    Place("Surveys", "surveys:list", "message-2"),
    Place("Loyalty", "loyalty:list", "gift"),
    Place("Metrics", "metrics:overview", "chart-bar"),
    Place("Data", "customers:imports", "database", ("/products/",)),
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
    return _url_for(user.role, view)


def _url_for(role: str, view: str) -> str | None:
    found = address(view)
    return found[0] if found and found[1] in GRANTS.get(role, ()) else None


def here(path: str) -> str:
    """The view of the place in which an address lies, or "" outside of all."""
    found = ((place, address(place.view)) for place in PLACES)
    return next((place.view for place, where in found if where and path.startswith((where[0], *place.also))), "")


def places(role: str, here: str) -> Iterator[Entry]:
    """The places that a role may open, in their order; `here` is the view of the one that is marked."""
    for place in PLACES:
        if url := _url_for(role, place.view):
            yield Entry(place.label, place.icon, url, place.view == here)
