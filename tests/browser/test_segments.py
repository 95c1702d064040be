"""The segments' pages in a browser: building with and without scripts, by keyboard, on a phone, in the dark."""

from datetime import timedelta

import pytest
from playwright.sync_api import Route, expect

from customers.facts import dirty
from customers.models import Customer, Order, Segment
from customers.segments import membership
from customers.segments.ready_made import READY_MADE
from retention.common import clock
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.customers.router import route

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def buyers() -> None:
    """Thirty customers: number n ordered n % 4 times, the last time n days ago."""
    for number in range(30):
        who = Customer.objects.create(external_id=f"c{number}", name=f"Customer {number}", country="France")
        for order in range(number % 4):
            ordered_at = clock.now() - timedelta(days=number * 5 + order * 30)
            Order.objects.create(
                external_id=f"{number}-{order}", customer=who, ordered_at=ordered_at, amount=10, currency="EUR"
            )
    dirty.mark_where(Customer.objects.all())
    route()


def expected(orders: int, days: int) -> int:
    return sum(number % 4 >= orders and number * 5 > days for number in range(30))


def field(path: str, name: str = "field") -> str:
    """The input of a row of the builder."""
    return f"[id='{path}.{name}']"


def test_it_works(as_role: AsRole, buyers: None) -> None:
    """From the offer on the empty page, with the count following each change, to the saved segment."""
    page = as_role("marketer")
    page.goto("/segments/")
    accessible(page)
    page.get_by_role("link", name="Lapsing buyers").click()
    count = page.locator("#preview strong")
    expect(count).to_have_text(str(expected(2, 60)))
    page.fill(field("r-1", "value"), "100")
    expect(count).to_have_text(str(expected(2, 100)))
    page.fill(field("r-0", "value"), "3")
    expect(count).to_have_text(str(expected(3, 100)))
    accessible(page)
    page.get_by_role("button", name="Save segment").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lapsing buyers")
    expect(page.locator("tbody th")).to_have_count(expected(3, 100))
    accessible(page)


def test_groups_nest_and_nothing_typed_is_lost(as_role: AsRole, buyers: None) -> None:
    page = as_role("account_manager")
    page.goto("/segments/new/")
    page.fill("#id_name", "Nested")
    page.fill(field("r-0", "value"), "1")
    page.locator("#r > .rule-adds").get_by_role("button", name="Add group").click()
    page.select_option(field("r-1-0"), "country")
    page.select_option(field("r-1-0", "op"), "is_any_of")
    page.fill(field("r-1-0", "value"), "France, Italy")
    page.locator("#r-1 > .rule-adds").get_by_role("button", name="Add group").click()
    page.select_option(field("r-1-1-0"), "stage")
    page.select_option(f"select{field('r-1-1-0', 'value')}", "lapsed")
    page.locator("#r-1 > .rule-adds").get_by_role("button", name="Add condition").click()
    expect(page.locator(field("r-1-2"))).to_be_focused()
    accessible(page)
    save = page.get_by_role("button", name="Save segment").last
    on_its_way: list[Route] = []

    def hold(route: Route) -> None:
        on_its_way.append(route)

    page.route("**/segments/new/", hold, times=1)
    page.get_by_role("button", name="Remove this condition").last.click()
    expect(save).to_be_disabled()  # or the row would be saved that was just removed
    on_its_way.pop().continue_()
    expect(save).to_be_enabled()
    expect(page.locator("#id_name")).to_have_value("Nested")
    expect(page.locator(field("r-1-0", "value"))).to_have_value("France, Italy")
    save.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nested")
    assert Segment.objects.get().rule == {
        "all": [
            {"field": "orders", "op": "at_least", "value": 1},
            {
                "any": [
                    {"field": "country", "op": "is_any_of", "value": ["France", "Italy"]},
                    {"all": [{"field": "stage", "op": "is", "value": "lapsed"}]},
                ]
            },
        ]
    }


def test_it_works_without_scripts(as_role: AsRole, buyers: None) -> None:
    page = as_role("marketer", script=False)
    page.goto("/segments/new/")
    page.fill("#id_name", "Plain")
    page.fill(field("r-0", "value"), "2")
    page.get_by_role("button", name="Add condition").click()
    page.select_option(field("r-1"), "last_order_at")
    page.get_by_role("button", name="Update").last.click()
    page.select_option(field("r-1", "op"), "more_than_days_ago")
    page.fill(field("r-1", "value"), "60")
    page.get_by_role("button", name="Save segment").last.click()
    assert page.locator("h1").text_content() == "Plain"
    assert Segment.objects.get().size == expected(2, 60)


def test_enter_saves_and_removes_nothing(as_role: AsRole, buyers: None) -> None:
    page = as_role("marketer")
    page.goto("/segments/new/?from=lapsing")
    page.press(field("r-1", "value"), "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Lapsing buyers")
    assert Segment.objects.get().rule == READY_MADE["lapsing"].rule


@pytest.mark.parametrize("look", ["phone", "dark"])
def test_every_page_on_a_phone_and_in_the_dark(as_role: AsRole, buyers: None, look: str) -> None:
    offer = READY_MADE["lapsing"]
    segment = Segment.objects.create(name=offer.name, description=offer.description, rule=offer.rule)
    membership.refresh()
    who = segment.memberships.values_list("customer", flat=True)[0]
    page = as_role("marketer", phone=look == "phone", dark=look == "dark")
    for path in ("", f"{segment.pk}/", f"{segment.pk}/edit/", f"{segment.pk}/why/{who}/", f"{segment.pk}/delete/"):
        page.goto(f"/segments/{path}")
        accessible(page)
        no_sideways_scroll(page)


def test_the_reason_unfolds_in_the_customers_panel(as_role: AsRole, buyers: None) -> None:
    segment = Segment.objects.create(name="Lapsing", rule=READY_MADE["lapsing"].rule)
    membership.refresh()
    who = segment.memberships.values_list("customer", flat=True)[0]
    page = as_role("analyst")
    page.goto(f"/segments/customer/{who}/")
    page.get_by_role("link", name="Why in Lapsing").click()
    expect(page.get_by_text("Number of orders is at least 2")).to_be_visible()
    accessible(page)


def test_what_is_typed_while_an_answer_is_on_its_way_stays(as_role: AsRole, buyers: None) -> None:
    page = as_role("marketer")
    page.goto("/segments/new/?from=lapsing")

    def slowly(route: Route) -> None:
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/segments/new/", slowly)
    page.select_option(field("r-0"), "country")
    page.fill(field("r-1", "value"), "61")
    page.select_option(field("r", "match"), "any")
    expect(page.locator(field("r-0", "op"))).to_contain_text("starts with")
    expect(page.locator(field("r-1", "value"))).to_have_value("61")
    expect(page.locator(field("r", "match"))).to_have_value("any")
    page.wait_for_load_state("networkidle")  # what still asks when the test is over holds up who clears the tables
