"""The frame of every page in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import AsRole, accessible, no_sideways_scroll


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("dark", [False, True])
def test_it_works(as_role: AsRole, phone: bool, dark: bool) -> None:
    page = as_role("administrator", phone=phone, dark=dark)
    page.goto("/")
    expect(page.locator("main h1")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)


def test_the_theme_is_kept(as_role: AsRole) -> None:
    page = as_role("analyst")
    page.goto("/")
    page.get_by_role("button", name="account and theme").click()
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_the_sidebar_stays_closed(as_role: AsRole) -> None:
    page = as_role("analyst")
    page.goto("/")
    page.get_by_role("button", name="Collapse").click()
    page.reload()
    assert page.locator("aside.sidebar").bounding_box()["width"] == 56  # type: ignore[index]
