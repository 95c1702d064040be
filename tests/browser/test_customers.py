"""The list of customers, a customer's page and the search, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from customers.events.recording import Happening, record
from customers.models import Customer
from retention.common import clock
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role
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


def test_picked_customers_are_changed_and_set_back(as_role: AsRole) -> None:
    crowd(30)
    colleague = User.objects.create_user("cora@example.test", role=Role.ACCOUNT_MANAGER, first_name="Cora")
    page = as_role("account_manager")
    page.goto("/customers/?size=25")
    expect(page.get_by_label("What to change")).to_be_hidden()
    page.get_by_label("Pick every customer on this page").check()
    expect(page.locator("[data-picked]")).to_have_text("25 picked")
    accessible(page)
    page.get_by_label("What to change").select_option(label="Owner")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Owner")
    page.get_by_role("button", name="Change them").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_label("Owner").select_option(str(colleague.pk))
    expect(page.locator("#will")).to_contain_text("25 customers will change")
    accessible(page)
    page.get_by_role("button", name="Change them").click()
    expect(page.get_by_role("status").filter(has_text="25 customers changed")).to_be_visible()
    assert Customer.objects.filter(owner=colleague).count() == 25
    page.get_by_role("link", name="See or take back").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status").filter(has_text="Taken back for 25 customers")).to_be_visible()
    assert not Customer.objects.filter(owner=colleague).exists()
    page.goto("/customers/changes/")
    expect(page.get_by_role("link", name="Assign to Cora")).to_be_visible()


def test_picked_customers_get_a_tag_on_a_phone_without_script(as_role: AsRole) -> None:
    crowd(3)
    page = as_role("administrator", phone=True, script=False)
    page.goto("/customers/")
    page.get_by_label("Pick Person 0001").check()
    page.get_by_label("What to change").select_option(label="Add a tag")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("textbox", name="Tag").fill("spring")
    page.get_by_role("button", name="Change them").click()
    expect(page.get_by_role("status").filter(has_text="1 customer changed")).to_be_visible()
    assert Customer.objects.get(tags=["spring"]).name == "Person 0001"


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_whoever_may_not_change_customers_is_refused(as_role: AsRole, role: str) -> None:
    """Neither shown nor taken: the request of somebody who may is sent from the page of somebody who may not."""
    crowd(3)
    page = as_role(role)
    page.goto("/customers/")
    page.get_by_label("Pick every customer on this page").check()
    expect(page.get_by_role("button", name="Export").last).to_be_visible()
    expect(page.get_by_label("What to change")).to_have_count(0)
    answer = page.evaluate(
        """async ({pick}) => {
            const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
            const said = {action: "tag", value: "x", confirmed: "1", pick};
            const sent = {method: "POST", headers: {"X-CSRFToken": token}, body: new URLSearchParams(said)};
            return (await fetch("/customers/change/", sent)).status;
        }""",
        {"pick": str(Customer.objects.latest("pk").pk)},
    )
    assert answer == 403
    assert not Customer.objects.exclude(tags=[]).exists()


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
