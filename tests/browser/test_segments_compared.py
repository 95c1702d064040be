"""Segments by hand, ready-made, overlapping and set apart, in a browser: by role, on a phone, in the dark."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from customers.facts import dirty
from customers.models import Customer, HandChange, Order, Segment
from customers.segments import by_hand, membership
from customers.segments.ready_made import READY_MADE
from retention.common import clock
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.browser.test_segments import field
from tests.customers.router import route

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def buyers() -> list[Customer]:
    """Twelve customers: number n ordered n times, each order of 10."""
    made = [Customer.objects.create(external_id=f"c{number}", name=f"Customer {number}") for number in range(12)]
    for number, who in enumerate(made):
        for order in range(number):
            ordered_at = clock.now() - timedelta(days=number + order * 30)
            Order.objects.create(
                external_id=f"{number}-{order}", customer=who, ordered_at=ordered_at, amount=10, currency="EUR"
            )
    dirty.mark_where(Customer.objects.all())
    route()
    return made


def test_a_list_comes_from_a_file_and_is_undone(as_role: AsRole, buyers: list[Customer], tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_text("customer id\nc1\nc2\nnobody\n")
    page = as_role("marketer")
    page.goto("/segments/new-list/")
    accessible(page)
    page.fill("#id_name", "Fair")
    page.set_input_files("#id_file", file)
    page.get_by_role("button", name="Make the list").click()
    expect(page.get_by_role("heading", name="Decided by hand now: 2")).to_be_visible()
    accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Not found").click()
    assert Path(download.value.path()).read_text().split() == ["nobody"]
    page.fill("#id_customer", "c7")
    page.fill("#id_reason", "Met there too")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_role("heading", name="Decided by hand now: 3")).to_be_visible()
    page.get_by_role("button", name=re.compile("Undo.*Put in: 2")).click()
    expect(page.get_by_role("heading", name="Decided by hand now: 1")).to_be_visible()
    assert list(Segment.objects.values_list("size", flat=True)) == [1]


def test_a_ready_made_segment_is_ones_own_and_opens(as_role: AsRole, buyers: list[Customer]) -> None:
    """From the shelf to the segment, what sets it apart, and the customers behind a difference."""
    page = as_role("account_manager")
    page.goto("/segments/ready-made/")
    accessible(page)
    page.get_by_role("button", name=re.compile("Make it mine.*Loyal")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Loyal customers")
    page.get_by_role("link", name="What sets it apart").click()
    accessible(page)
    page.get_by_role("link", name="Number of orders").click()
    expect(page.get_by_role("link", name="Customer 11")).to_be_visible()
    accessible(page)


def test_a_condition_on_what_is_counted_with_and_without_scripts(as_role: AsRole, buyers: list[Customer]) -> None:
    for script in (True, False):
        page = as_role("marketer", script=script)
        page.goto("/segments/new/")
        page.fill("#id_name", f"Script {script}")
        page.select_option(field("r-0"), "order_count")
        if not script:
            page.get_by_role("button", name="Update").click()
        page.fill(field("r-0", "value"), "3")
        page.fill(field("r-0", "days"), "100")
        page.get_by_role("button", name="Only those where").click()
        page.select_option(field("r-0.0"), "amount")
        if not script:
            page.get_by_role("button", name="Update").last.click()
        page.fill(field("r-0.0", "value"), "10")
        if script:
            accessible(page)
        page.get_by_role("button", name="Save segment").last.click()
        page.wait_for_selector("#members")
    first, second = Segment.objects.order_by("pk")
    assert first.rule == second.rule
    assert first.rule["all"][0]["where"] == [{"field": "amount", "op": "at_least", "value": 10}]
    assert first.size == second.size > 0


@pytest.mark.parametrize("look", ["phone", "dark"])
def test_every_page_on_a_phone_and_in_the_dark(as_role: AsRole, buyers: list[Customer], look: str) -> None:
    offers = [READY_MADE["stage-loyal"], READY_MADE["lapsing"]]
    first, second = (Segment.objects.create(name=offer.name, rule=offer.rule) for offer in offers)
    membership.refresh()
    change = HandChange(segment=first, act="in", reason="A friend of the house", file_name="friends.csv")
    by_hand.decide(change, [who.pk for who in buyers[:3]])
    page = as_role("marketer", phone=look == "phone", dark=look == "dark")
    own = [
        f"{first.pk}/{path}"
        for path in ("by-hand/", "overlap/", f"overlap/?with={second.pk}", "apart/", "apart/orders/")
    ]
    for path in ("ready-made/", "new-list/", f"{first.pk}/why/{buyers[0].pk}/", *own):
        page.goto(f"/segments/{path}")
        accessible(page)
        no_sideways_scroll(page)
