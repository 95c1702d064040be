"""A real Chromium for the tests of this folder: signed in by role, at desktop or phone size, checked by axe.

    def test_it_works(as_role: AsRole) -> None:
        page = as_role("marketer", phone=True)
        page.goto("/campaigns/")
        accessible(page)

Every page is watched: an error of a script or a breach of the Content-Security-Policy fails the test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.chromium import DESKTOP, PATIENCE, PHONE

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class AsRole(Protocol):
    """Opens a page signed in as a person of a role; with "" as nobody."""

    def __call__(self, role: str, *, phone: bool = False, dark: bool = False, script: bool = True) -> Page: ...


@pytest.fixture(autouse=True)
def _what_could_not_be_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where a test fails, it is told what the server answered with an error of its own: it logs that nowhere."""
    refuse, refused = WSGIRequestHandler.send_error, list[tuple[bytes, object]]()

    def tell(handler: WSGIRequestHandler, *answer: Any) -> None:
        refused.append((handler.raw_requestline[:200], answer))
        refuse(handler, *answer)

    monkeypatch.setattr(WSGIRequestHandler, "send_error", tell)
    yield
    if refused:
        print("The server could not read:", refused)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def as_role(chromium: Browser, live_server: LiveServer) -> Iterator[AsRole]:
    opened: list[BrowserContext] = []
    troubles: list[str] = []

    def open_page(role: str, *, phone: bool = False, dark: bool = False, script: bool = True) -> Page:
        width, height = PHONE if phone else DESKTOP
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        if role:
            _sign_in(context, role, live_server.url)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: troubles.extend(_breaches(line)))
        return page

    yield open_page
    for context in opened:
        context.close()
    assert not troubles, troubles


def _sign_in(context: BrowserContext, role: str, url: str) -> None:
    user, _ = User.objects.get_or_create(email=f"{role}@example.test", defaults={"role": Role(role)})
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


def _breaches(line: ConsoleMessage) -> list[str]:
    return [line.text] if "Content Security Policy" in line.text or "Content-Security-Policy" in line.text else []


def accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe finds on the page as it stands."""
    page.wait_for_load_state()  # axe stops at a document that has only begun
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
    assert not found.response["violations"], found.generate_report()


#: What reaches over the right edge of the screen.
TOO_WIDE = """[...document.body.querySelectorAll('*')]
    .filter(each => each.getBoundingClientRect().right > window.innerWidth + 1)
    .map(each => each.outerHTML.slice(0, 200))"""


def no_sideways_scroll(page: Page) -> None:
    """The page is no wider than the screen."""
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= screen, f"{wide} px on a screen of {screen}: {page.evaluate(TOO_WIDE)}"
