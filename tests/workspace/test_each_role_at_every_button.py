"""Each role gets in where it may, is offered what it may do and nothing else, and what it is offered lets it do it.

Nothing is listed that can be found: pages are opened as each role, and their links and buttons followed. That whoever
has not the right is refused by the server is tried in test_every_view_says_who_may.py.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, ResolverMatch, resolve

from customers.models import Customer
from retention.workspace import context_processors
from retention.workspace.models import User
from retention.workspace.places import PLACES
from retention.workspace.roles import GRANTS, Can, Role
from tests.addresses import SAMPLES, patterns
from tests.workspace.test_a_get_changes_nothing import NUMBER, one_of_each, read_only
from tests.workspace.test_a_get_changes_nothing import client as client  # a fixture
from tests.workspace.test_two_at_every_form import Forms

SignIn = Callable[[str], Client]
#: Whose pages are opened as every role; those of the other rooms by who has no other right, or by whoever has theirs.
ROOMS = {"customers", "loyalty"}
#: These are somebody's own, here the administrator's.
OWN = {
    f"/customers/hand-overs/notes/{NUMBER}/": 403,
    f"/customers/interactions/{NUMBER}/edit/": 403,
    f"/customers/export/{SAMPLES['uuid']}/": 404,
}
#: Views that are offered to some of those who may, by a rule of the thing itself.
BY_A_RULE_OF_ITS_OWN = {
    "customers:handover_note": "whoever gives or receives",
    "customers:handover_undo": "whoever gives or receives",
    "customers:interaction_act": "its author",
    "customers:interaction_edit": "its author",
    "customers:together_undo": "whoever made the change",
    "customers:interaction_new": "on Today whoever has something there",
    "customers:plan_new": "on Today whoever has something there",
    "customers:today_act": "whoever has something on Today",
    "loyalty:decide": "whoever was asked to approve",
    "loyalty:withdraw": "whoever asked",
    "customers:import_new": "where nothing is there yet",
}
#: Views that take a POST of whoever may read, and why that changes nothing of anybody else's.
READERS_MAY_POST = {
    "workspace:account": "their own name and zone",
    "workspace:view_keep": "a view of their own",
    "workspace:view_rename": "a view of their own",
    "workspace:view_opens": "how their own list opens",
    "workspace:view_drop": "a view of their own",
    "workspace:job_cancel": "a job of their own",
    "workspace:retention.workspace.views.account.no_change_of_address": "sends on",
    "customers:list_export": "a file for themselves",
}
#: Views that only take a POST and that no page of the samples offers, and what it would take.
ON_NO_PAGE = {
    "customers:duplicate_dismiss": "two customers who look the same",
    "customers:health_profile_up": "a second health profile",
    "customers:import_start": "a file that was not brought in yet",
    "customers:playbook_start": "a playbook that the customer is not in",
    "customers:segment_list_agree": "a list from a file that waits for a word",
    "loyalty:use": "an offer that was granted",
}


_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_BUTTON = re.compile(r"<button\b([^>]*)>")
_SAID = re.compile(r'([\w-]+)="([^"]*)"')
_LINK = re.compile(r'\b(?:href|hx-get|hx-post)="(/[^"]*)"')


@dataclass(frozen=True)
class Way:
    """A button of a form: where it posts to, what it says itself, and the form as it stands in its page."""

    address: str
    said: dict[str, str]
    form: str

    @property
    def body(self) -> dict[str, str]:
        return Forms(self.form).found[0].fields | self.said


class Page:
    """Where a page leads: its links, the parts it asks for, and its forms that post, as far as they have a button."""

    def __init__(self, url: str, html: str) -> None:
        self.ways = [way for form in _FORM.finditer(html) for way in _ways(url, form)]
        links = _LINK.findall(re.sub(r"<form\b[^>]*>", "", html))
        self.offered = needed({*links, *(way.address for way in self.ways)})


def _ways(url: str, form: re.Match[str]) -> Iterator[Way]:
    attributes = dict(_SAID.findall(form[1]))
    if attributes.get("method") != "post":
        return
    for button in _BUTTON.findall(form[2]):
        said = dict(_SAID.findall(button))
        if said.get("type") != "button":
            own = {said["name"]: said.get("value", "")} if "name" in said else {}
            yield Way(said.get("formaction") or attributes.get("action") or url, own, form[0])


def needed(addresses: Iterable[str]) -> dict[str, str]:
    """The views of ours behind addresses, by name, with what each needs."""
    found = filter(None, map(place, {urlsplit(address).path for address in addresses}))
    return {where.view_name: where.func.admits for where in found if hasattr(where.func, "admits")}


@cache
def place(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def too_much(offered: dict[str, str], role: str) -> set[str]:
    """What a page offers somebody who is refused it."""
    return {name for name, needs in offered.items() if needs != "anyone" and needs not in GRANTS[role]}


def too_little(offered: dict[str, str], administrators: dict[str, str], role: str) -> set[str]:
    """What a page offers an administrator, and not somebody who may do that, too. To read is left to each page."""
    theirs = {name for name, needs in administrators.items() if needs in GRANTS[role] - {Can.READ}}
    return theirs - offered.keys() - BY_A_RULE_OF_ITS_OWN.keys()


@dataclass
class Round:
    """What somebody met who went round: pages, who refused them, and what only takes a POST."""

    pages: dict[str, Page] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    only_posts: dict[str, str] = field(default_factory=dict)


def round_of(client: Client, role: str, real: dict[str, str], without: set[str]) -> Round:
    made = Round()
    for url, sample in ((real.get(sample, sample), sample) for sample in _wheres(role)):
        if url in without:
            continue
        with read_only():
            response = client.get(url)
        if response.status_code == 405:
            made.only_posts[resolve(url).view_name] = url
        elif response.status_code not in (200, 302):
            made.refused[sample] = response.status_code
        elif not response.streaming and "html" in response.get("Content-Type", ""):
            made.pages[url] = Page(url, response.content.decode())
    return made


def to_read(made: Round) -> set[str]:
    """The pages that offer even an administrator nothing to do, but to go to other places."""
    frame = {place.view for place in PLACES}
    needs = {url: {page.offered[name] for name in page.offered.keys() - frame} for url, page in made.pages.items()}
    return {url for url, each in needs.items() if each <= {Can.READ, "anyone"}}


def _wheres(role: str) -> Iterator[str]:
    alone = {Can.READ} if role == Role.ANALYST else GRANTS[role] - {Can.READ}
    for pattern, sample in patterns():
        view: Any = pattern.callback
        needs, ours = getattr(view, "admits", ""), view.__module__.split(".")[0] in ROOMS and not hasattr(view, "cls")
        if (needs in GRANTS[role] and ours) or (needs in alone and role != Role.ADMINISTRATOR):
            yield sample


def followed(client: Client, made: Round, tried: set[str]) -> dict[str, int]:
    """Press each button whose view nobody has tried; gives who refused, of those it should have let through."""
    refused = {}
    for way in [way for page in made.pages.values() for way in page.ways]:
        where = place(urlsplit(way.address).path)
        if where is None or where.view_name in tried or where.func.__module__.split(".")[0] not in ROOMS:
            continue
        tried.add(where.view_name)
        with transaction.atomic():
            status = client.post(way.address, way.body).status_code
            transaction.set_rollback(True)
        if status not in (200, 302, 409, 422):
            refused[where.view_name] = status
    return refused


def test_it_works(client: Client, signed_in: SignIn) -> None:
    real = one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    above = round_of(client, Role.ADMINISTRATOR, real, set())
    dull = to_read(above)
    rounds = {Role.ANALYST: round_of(signed_in(Role.ANALYST), Role.ANALYST, real, set())}
    for role in (Role.ACCOUNT_MANAGER, Role.MARKETER):
        rounds[role] = round_of(signed_in(role), role, real, dull)
    rounds[Role.ADMINISTRATOR] = above
    tried: set[str] = set()
    for role, made in rounds.items():
        assert made.refused.items() <= OWN.items(), role
        offered = {url: page.offered for url, page in made.pages.items()}
        more = {url: found for url, each in offered.items() if (found := too_much(each, role))}
        assert more == {}, f"{role} is offered what is refused"
        both = offered.keys() & above.pages.keys()
        less = {url: too_little(offered[url], above.pages[url].offered, role) for url in both}
        assert {url: found for url, found in less.items() if found} == {}, f"{role} may, and is not offered it"
        assert followed(signed_in(role), made, tried) == {}, f"{role} is refused what is offered"
    linked = {name for made in rounds.values() for page in made.pages.values() for name in page.offered}
    assert above.only_posts.keys() - linked == ON_NO_PAGE.keys()


def test_who_may_only_read_posts_nothing_but_what_is_theirs(signed_in: SignIn) -> None:
    """A view that changes something of everybody's under the right to read would be one that everybody may change."""
    client, found = signed_in(Role.ANALYST), set()
    for pattern, url in patterns():
        is_page = getattr(pattern.callback, "admits", "") == Can.READ and not hasattr(pattern.callback, "cls")
        if is_page and client.post(url).status_code != 405:
            found.add(resolve(url).view_name)
    assert found == READERS_MAY_POST.keys()


def test_a_button_too_much_and_one_too_few_are_found(
    client: Client, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: a page that does not ask who reads it, one that offers nothing, and a button that leads nowhere."""
    url = f"/customers/{Customer.objects.create(external_id='ada').pk}/"

    def offered(role: str, cans: dict[Can, bool]) -> dict[str, str]:
        monkeypatch.setattr(context_processors, "_grants", lambda request: cans)
        return Page(url, signed_in(role).get(url).content.decode()).offered

    all_of_it, nothing = dict.fromkeys(Can, True), dict[Can, bool]()
    assert "customers:edit" in too_much(offered(Role.ANALYST, all_of_it), Role.ANALYST)
    assert too_much(offered(Role.ANALYST, nothing), Role.ANALYST) == set()
    administrators = offered(Role.ADMINISTRATOR, all_of_it)
    assert "customers:edit" in too_little(offered(Role.ACCOUNT_MANAGER, nothing), administrators, Role.ACCOUNT_MANAGER)
    dead = Page(
        "/", '<form method="post" action="/customers/"><input name="q"><button type="submit">Go</button></form>'
    )
    assert followed(client, Round({"/": dead}), set()) == {"customers:list": 405}
