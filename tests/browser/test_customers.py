"""The list of customers, a customer's page and the search, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from customers.events.recording import Happening, record
from customers.models import Customer
from retention.common import clock
from retention.workspace.models import Workspace
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.customers.known import crowd, customer


def person() -> Customer:
    ada = customer(
        "ada", name="Ada Lovelace", email="ada@example.test", tags=["vip"], facts={"stage": "at_risk", "mrr": 9}
    )
    now = clock.now()
    kinds = ["order.placed", "message.sent", "survey.answered", "task.opened", "usage"]
    record(Happening(ada.pk, kinds[n % 5], now) for n in range(150))
    return ada


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (False, True), (True, False), (True, True)])
def test_it_works(as_role: AsRole, phone: bool, dark: bool) -> None:
    crowd(60)
    ada = person()
    page = as_role("account_manager", phone=phone, dark=dark)
    page.goto("/customers/")
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_text("Filter", exact=True).click()
    accessible(page)
    page.goto(f"/customers/{ada.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada Lovelace")
    expect(page.locator("[hx-get] a", has_text="Show")).to_have_count(0)  # every panel has come
    accessible(page)
    no_sideways_scroll(page)


def test_typing_narrows_the_list_and_the_address_follows(as_role: AsRole) -> None:
    crowd(60)
    person()
    page = as_role("account_manager")
    page.goto("/customers/?sort=-revenue")
    page.get_by_role("searchbox", name="Search customers").press_sequentially("love")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=love"))
    expect(page.locator("#live")).to_have_text("1 customer")
    page.get_by_role("link", name="Ada Lovelace").click()
    page.locator("[data-back-to-list]").click()
    expect(page).to_have_url(re.compile(r"q=love"))
    page.get_by_role("link", name="Remove the filter Search: love").click()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_going_back_to_a_narrowed_list_shows_the_whole_page(as_role: AsRole) -> None:
    """The list alone came from the same address: the browser must not take it for the page."""
    person()
    page = as_role("account_manager")
    page.goto("/customers/")
    page.get_by_role("searchbox", name="Search customers").press_sequentially("love")
    expect(page).to_have_url(re.compile(r"q=love"))
    page.goto("/account/")
    page.go_back()
    expect(page).to_have_url(re.compile(r"q=love"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Customers")
    expect(page.get_by_role("searchbox", name="Search customers")).to_have_value("love")


def test_going_back_keeps_the_place(as_role: AsRole) -> None:
    crowd(120)
    page = as_role("analyst")
    page.goto("/customers/?size=25")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Person 0025")).to_be_visible()
    page.get_by_role("link", name="Person 0030").click()
    page.go_back()
    expect(page.get_by_role("link", name="Person 0025")).to_be_visible()


def test_picked_customers_get_a_tag(as_role: AsRole) -> None:
    crowd(30)
    page = as_role("account_manager")
    page.goto("/customers/?size=25")
    expect(page.get_by_role("button", name="Add tag")).to_be_hidden()
    page.get_by_label("Pick every customer on this page").check()
    page.get_by_role("textbox", name="Tag", exact=True).last.fill("spring")
    accessible(page)
    page.get_by_role("button", name="Add tag").click()
    expect(page.get_by_role("status").filter(has_text="25 customers changed")).to_be_visible()
    assert Customer.objects.filter(tags=["spring"]).count() == 25


def test_the_timeline_goes_on_while_scrolling(as_role: AsRole) -> None:
    ada = person()
    page = as_role("analyst")
    page.goto(f"/customers/{ada.pk}/")
    assert page.locator(".happened").count() == 100
    page.locator(".happened-more").scroll_into_view_if_needed()
    expect(page.locator(".happened")).to_have_count(150)
    page.get_by_text("Orders", exact=True).click()
    expect(page.locator(".happened")).to_have_count(30)


def test_the_search_is_used_by_keyboard_alone(as_role: AsRole) -> None:
    ada = person()
    page = as_role("marketer")
    page.goto("/start/")
    page.keyboard.press("/")
    page.keyboard.type("lovel")
    expect(page.locator("#found a")).to_have_count(1)
    accessible(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/customers/{ada.pk}/$"))


def test_the_list_works_without_script(as_role: AsRole) -> None:
    crowd(30)
    person()
    page = as_role("account_manager", script=False)
    page.goto("/customers/")
    page.get_by_role("searchbox", name="Search customers").fill("love")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.parametrize("colour", ["#ffe600", "#101010", "#ffffff", "#d6336c"])
@pytest.mark.parametrize("dark", [False, True])
def test_any_accent_colour_is_readable(as_role: AsRole, colour: str, dark: bool) -> None:
    Workspace.objects.update(colour=colour)
    crowd(3)
    page = as_role("account_manager", dark=dark)
    page.goto("/customers/?stage=prospect")
    accessible(page)
