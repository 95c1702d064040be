"""What stands on every page of customers and loyalty, role by role: what the server lets somebody do, and nothing else.

The pages are found, not listed, as in tests/workspace/test_each_role_at_every_button.py; here it counts what a person
sees in the browser, once every part of the page has come, and that the page is sound at each width.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, Request, Response, expect
from pytest_django import Settings

from retention.workspace.models import User
from retention.workspace.roles import GRANTS, Can, Role
from tests.addresses import patterns
from tests.browser.conftest import AsRole, no_sideways_scroll
from tests.workspace.test_a_get_changes_nothing import NUMBER, one_of_each
from tests.workspace.test_each_role_at_every_button import (
    OWN,
    ROOMS,
    needed,
    round_of,
    to_read,
    too_little,
    too_much,
)

pytestmark = pytest.mark.django_db(transaction=True)

#: Where each link and each button that can be seen and pressed leads, and what is typed into a field when Enter is hit.
SEEN = """() => {
    const there = each => each.checkVisibility() && !each.disabled && each.type !== 'hidden';
    const fields = 'main form[method=post] :is(button, input, select, textarea)';
    const pressed = each => each.matches('button, a') ? each : each.form?.querySelector('[type=submit]') || each;
    return [...document.querySelectorAll(`main a[href], main [hx-get], main [hx-post], ${fields}`)]
        .filter(there)
        .map(each => each.getAttribute('hx-post') || each.getAttribute('hx-get') || pressed(each))
        .map(each => each.getAttribute?.('href') || each.getAttribute?.('formaction')
             || each.form?.getAttribute('action') || (typeof each === 'string' ? each : ''))
}"""
#: What the server says to a POST of each address, sent with the token of the page, or to a GET where it takes no POST.
ASKED = """async urls => {
    const headers = {'X-CSRFToken': document.querySelector('[name=csrfmiddlewaretoken]').value};
    const ask = async (url, method) => (await fetch(url, {method, headers, redirect: 'manual'})).status;
    const either = async url => await ask(url, 'POST').then(got => got === 405 ? ask(url, 'GET') : got);
    return Object.fromEntries(await Promise.all(urls.map(async url => [url, await either(url)])));
}"""
#: Every address of these rooms, as a page.
OURS = [
    sample
    for pattern, sample in patterns()
    if hasattr(pattern.callback, "admits") and pattern.callback.__module__.split(".")[0] in ROOMS
]
#: What puts its answer in a place that is not on the page: it would ask, and nothing would happen.
LOST = """[...document.querySelectorAll('main [hx-target^="#"]')].map(each => each.getAttribute('hx-target'))
    .filter(place => !document.querySelector(place))"""
#: What htmx marks while it asks, and until what came stands in its place.
ON_ITS_WAY = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
#: The desktop comes last: the next page is looked at as it stands there.
WIDTHS = (390, 1280)
SignIn = Callable[[str], Client]
Seen = dict[str, dict[str, str]]


def admitted(urls: Iterable[str], role: str) -> list[str]:
    """Those that the server lets a role into."""
    return [url for url in urls if {*needed([url]).values()} <= {*GRANTS[role], "anyone"}]


@contextmanager
def sound(page: Page) -> Iterator[list[str]]:
    """Whatever the browser asks for within is answered, and well; gives what was not."""
    wrong: list[str] = []

    def answered(response: Response) -> None:
        if response.status >= 400:
            wrong.append(f"{response.url}: {response.status}")

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page that asks every second, and is left
            wrong.append(f"{request.url}: {request.failure}")

    page.on("response", answered)
    page.on("requestfailed", failed)
    yield wrong
    page.remove_listener("response", answered)
    page.remove_listener("requestfailed", failed)


def seen_by(page: Page, urls: Iterable[str], widths: Iterable[int] = ()) -> Seen:
    """By page, the views of ours that can be seen to be led to, with what each needs."""
    found: Seen = {}
    for url in urls:
        with sound(page) as wrong:
            page.goto(url)
            expect(page.locator("main [hx-trigger=load] > a:text-is('Show')")).to_have_count(0)  # its panels are there
            expect(page.locator(ON_ITS_WAY)).to_have_count(0)
        assert wrong == [], url
        assert "/account/login/" not in page.url
        assert page.evaluate(LOST) == [], url
        addresses: list[str] = page.evaluate(SEEN)
        found[url] = needed(address or url for address in addresses)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            no_sideways_scroll(page)
    return found


def wrong(seen: Seen, administrators: Seen, role: str) -> dict[str, set[str]]:
    """By page, what is seen by somebody who may not, and not by somebody who may."""
    both = seen.keys() & administrators.keys()
    each = {url: too_much(seen[url], role) | too_little(seen[url], administrators[url], role) for url in both}
    return {url: views for url, views in each.items() if views}


def let_in(page: Page, urls: Iterable[str]) -> dict[str, int]:
    """Where somebody gets anything but a refusal who asks, from a page of theirs, for what is not shown."""
    answers: dict[str, int] = page.evaluate(ASKED, list(urls))
    return {url: status for url, status in answers.items() if status not in (403, 404)}


@pytest.fixture
def real(settings: Settings, tmp_path: Path, live_server: object) -> dict[str, str]:
    """Something at every address, much of it the administrator's; gives which samples are replaced by what."""
    settings.MEDIA_ROOT, settings.OUTBOX_DIR, settings.EMAIL_URL = tmp_path / "files", tmp_path / "outbox", ""
    return one_of_each(User.objects.create(email=f"{Role.ADMINISTRATOR}@example.test", role=Role.ADMINISTRATOR))


def test_it_works(as_role: AsRole, signed_in: SignIn, real: dict[str, str]) -> None:
    round_ = round_of(signed_in(Role.ADMINISTRATOR), Role.ADMINISTRATOR, real, set())
    whole = set(round_.pages)
    dull, own = to_read(round_), {url for url in whole if url in OWN}
    all_of_it = seen_by(as_role(Role.ADMINISTRATOR), sorted(whole), WIDTHS)
    doing = {name for views in all_of_it.values() for name, needs in views.items() if needs != Can.READ}
    assert len(doing) > 80, doing
    for role, left_out in ((Role.ACCOUNT_MANAGER, dull), (Role.MARKETER, dull), (Role.ANALYST, set[str]())):
        page = as_role(role)
        seen = seen_by(page, admitted(sorted(whole - left_out - own), role))
        assert wrong(seen, all_of_it, role) == {}, role
        assert let_in(page, {*OURS, *own} - {*admitted(OURS, role)} | own) == {}, role


def test_a_button_too_much_one_too_few_and_a_gap_are_found(as_role: AsRole, real: dict[str, str]) -> None:
    """Planted: an analyst shown what administrators are, the other way round, a page that is not there, an open one."""
    url = f"/cases/{NUMBER}/"
    administrators, analysts = seen_by(as_role(Role.ADMINISTRATOR), [url]), seen_by(as_role(Role.ANALYST), [url])
    assert wrong(administrators, administrators, Role.ANALYST)[url] >= {"customers:case_edit", "customers:case_act"}
    assert "customers:case_act" in wrong(analysts, administrators, Role.ADMINISTRATOR)[url]
    page = as_role(Role.ANALYST)
    with pytest.raises(AssertionError, match="404"):
        seen_by(page, ["/cases/1/"])
    assert let_in(page, [url, f"/cases/{NUMBER}/edit/"]) == {url: 200}
