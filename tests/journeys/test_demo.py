"""The demo, from an empty folder, as each of its people finds it in a browser; and a customer's answer on a phone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from retention.workspace.roles import Role
from tests.browser.conftest import accessible, no_sideways_scroll
from tests.chromium import DESKTOP, PATIENCE, PHONE
from tests.journeys.product import Product, wait_until

EVERY_PLACE = ["Today", "Customers", "Segments", "Campaigns", "Surveys", "Metrics", "Data", "Settings"]
NOT_SHOWN = {
    Role.ACCOUNT_MANAGER: {"Settings"},
    Role.MARKETER: {"Settings"},
    Role.ANALYST: {"Data", "Settings"},
    Role.ADMINISTRATOR: set[str](),
}
#: What a role may not open.
REFUSED = {
    Role.ACCOUNT_MANAGER: ["/campaigns/new/", "/surveys/new/", "/settings/", "/settings/people/"],
    Role.MARKETER: ["/customers/new/", "/settings/", "/settings/people/new/"],
    Role.ANALYST: ["/customers/new/", "/data/new/", "/segments/new/", "/campaigns/new/", "/surveys/new/", "/settings/"],
    Role.ADMINISTRATOR: [],
}
SEGMENT = "Promoters who order"


@dataclass
class Visitors:
    """Browsers of their own for the people of the demo; `troubles` is what the pages complained of in the console."""

    chromium: Browser
    product: Product
    troubles: list[str] = field(default_factory=list)
    opened: list[BrowserContext] = field(default_factory=list)

    def stranger(self, size: tuple[int, int] = DESKTOP) -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = self.chromium.new_context(base_url=self.product.url, viewport=viewport)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        self.opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("console", lambda line: self.troubles.extend([f"{page.url}: {line.text}"] * (line.type == "error")))
        return page

    def signed_in(self, role: Role) -> Page:
        page = self.stranger()
        page.goto("/")
        page.get_by_role("button", name=role.label).click()
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        return page


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Started on an empty folder with nothing but the demo in it, on a Wednesday forenoon."""
    product = Product(tmp_path_factory.mktemp("demo"), DEMO="1", RETENTION_NOW="2026-06-10T10:00:00Z")
    yield product
    product.stop()


@pytest.fixture
def visitors(chromium: Browser, demo: Product) -> Iterator[Visitors]:
    those = Visitors(chromium, demo)
    yield those
    for context in those.opened:
        context.close()
    assert those.troubles == []


def places(page: Page) -> dict[str, str]:
    """What the navigation offers: addresses by their names."""
    links = page.get_by_role("navigation", name="Main").get_by_role("link").all()
    return {link.inner_text().strip(): link.get_attribute("href") or "" for link in links}


def walk(page: Page, check: Callable[[Page], None]) -> list[str]:
    """Open every place; gives their names."""
    found = places(page)
    for name, address in found.items():
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, f"{name} answered {answer.status}"
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        check(page)
    return list(found)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_walks_its_places_and_no_others(visitors: Visitors, role: Role) -> None:
    page = visitors.signed_in(role)
    accessible(page)
    seen = walk(page, accessible if role == Role.ADMINISTRATOR else lambda _: None)
    assert [name for name in seen if name not in NOT_SHOWN[role]] == seen
    assert set(EVERY_PLACE) - NOT_SHOWN[role] <= set(seen)
    for address in REFUSED[role]:
        assert page.request.get(address).status == 403, f"{role} got into {address}"


def test_it_works(visitors: Visitors, demo: Product) -> None:
    """The marketer asks a segment for a score, a customer answers on a phone, the account manager has a task."""
    marketer = visitors.signed_in(Role.MARKETER)
    launch(marketer)
    survey = link_in_the_mail(marketer, demo)
    answer_on_a_phone(visitors.stranger(PHONE), survey)
    manager = visitors.signed_in(Role.ACCOUNT_MANAGER)
    manager.goto("/today/?whose=everyone")
    expect(manager.locator("main")).to_contain_text("Nobody answers the telephone.")


def launch(page: Page) -> None:
    page.goto("/campaigns/new/?from=ask")
    page.get_by_label("Customers who enter").select_option(label=SEGMENT)
    page.get_by_label("Survey").select_option(index=1)
    page.get_by_role("button", name="Save and rehearse the launch").click()
    page.get_by_role("button", name="Launch: send to").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Running")


def link_in_the_mail(page: Page, demo: Product) -> str:
    """The address behind the 3 in an e-mail of the campaign just launched: the demo's own goes on sending meanwhile."""
    ours = page.locator("tbody tr").filter(has=page.locator(f"a[href='{urlsplit(page.url).path}']"))
    wait_until(lambda: demo.idle() and in_the_outbox(page, ours), 300)
    ours.locator("a.fw-medium").first.click()
    mail = page.frame_locator("iframe.mail-frame").frame_locator("iframe")
    link = mail.get_by_role("link", name="3", exact=True)
    return link.get_attribute("href") or ""


def in_the_outbox(page: Page, rows: Locator) -> bool:
    page.goto("/campaigns/outbox/")
    return rows.count() > 0


def answer_on_a_phone(phone: Page, survey: str) -> None:
    phone.goto(survey)
    expect(phone.get_by_role("radio", name="3", exact=True)).to_be_checked()
    accessible(phone)
    no_sideways_scroll(phone)
    phone.get_by_role("textbox").fill("Nobody answers the telephone.")
    phone.get_by_role("button", name="Send my answer").click()
    expect(phone.get_by_role("heading", name="Thank you")).to_be_visible()
    accessible(phone)
