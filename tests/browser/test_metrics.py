"""The metrics pages in a real browser, as the analyst reads them: figures, charts, receipts, phone, dark, no script."""

import re

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Campaign
from customers.models import Segment
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.metrics.company import found_company

pytestmark = pytest.mark.django_db(transaction=True)
SPRING = "from=2026-03-01&to=2026-06-01"


@pytest.fixture
def company(transactional_db: None) -> Campaign:
    return found_company()


def drawn(page: Page) -> None:
    """Every chart has been drawn."""
    for chart in page.locator("[data-chart]").all():
        expect(chart.locator("canvas")).to_be_visible()


def test_it_works(as_role: AsRole, company: Campaign) -> None:
    page = as_role("analyst")
    page.goto("/")
    expect(page).to_have_url(re.compile("/metrics/$"))
    page.goto(f"/metrics/?{SPRING}")
    drawn(page)
    rate = page.get_by_role("link", name=re.compile("Customer retention rate: .*%, open its receipt"))
    value = rate.inner_text()
    rate.click()
    expect(page.get_by_role("heading", name="Customer retention rate")).to_be_visible()
    expect(page.locator(".receipt-value")).to_have_text(value)
    accessible(page)
    page.get_by_role("link", name=re.compile("^Left out")).first.click()
    count = page.locator(".receipt-part[aria-current] .receipt-count").inner_text()
    expect(page.get_by_role("heading", name=re.compile(f": {count}$"))).to_be_visible()
    assert page.locator("tbody tr").count() == int(count.split()[0])
    page.locator("tbody a").first.click()
    expect(page).to_have_url(re.compile(r"/customers/\d+/"))
    page.go_back()
    expect(page.locator(".receipt-part[aria-current]")).to_be_visible()


def test_a_window_and_a_segment_are_in_the_address(as_role: AsRole, company: Campaign) -> None:
    page = as_role("analyst")
    page.goto("/metrics/")
    page.get_by_role("link", name="Last full quarter").click()
    expect(page.get_by_role("link", name="Last full quarter")).to_have_attribute("aria-current", "true")
    page.get_by_label("From").fill("2026-03-01")
    page.get_by_label("To, not including").fill("2026-06-01")
    page.get_by_label("Segment").select_option(label="Every third")
    page.get_by_role("button", name="Show").click()
    key = Segment.objects.get(name="Every third").pk
    expect(page).to_have_url(re.compile(f"/metrics/\\?{SPRING}&segment={key}$"))
    expect(page.get_by_text("Only customers who are now in the segment Every third.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Segment")).to_have_value(str(key))


def test_a_cell_of_the_cohort_grid_opens(as_role: AsRole, company: Campaign) -> None:
    page = as_role("analyst")
    page.goto("/metrics/cohorts/?from=2025-08-01&to=2026-06-01&as=numbers")
    row = page.get_by_role("row", name=re.compile("^Jan 2026"))
    cell = row.get_by_role("link").nth(3)  # after the cohort's size: months 0, 1 and 2
    count = cell.inner_text()
    cell.click()
    expect(page.get_by_text("Month 2 of the cohort of January 2026, that is March 2026.")).to_be_visible()
    assert page.locator("tbody tr").count() == int(count) > 0


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("phone", [False, True])
def test_every_page_reads_well(as_role: AsRole, company: Campaign, phone: bool, dark: bool) -> None:
    page = as_role("analyst", phone=phone, dark=dark)
    for address in (
        f"/metrics/?{SPRING}",
        "/metrics/?window=365d",
        "/metrics/?from=2000-01-01&to=2000-02-01",
        "/metrics/?from=2026-03-01",
        "/metrics/cohorts/?from=2025-08-01&to=2026-06-01",
        "/metrics/cohorts/?from=2025-08-01&to=2026-06-01&measure=revenue&orders=all",
        f"/metrics/nps/?{SPRING}",
        f"/metrics/campaigns/{company.pk}/",
        f"/metrics/receipt/revenue/?{SPRING}",
        f"/metrics/receipt/nps/?{SPRING}&part=detractors",
    ):
        page.goto(address)
        drawn(page)
        accessible(page)
        no_sideways_scroll(page)


def at_rest(page: Page) -> str:
    """The first chart's picture, once it does not move any more."""
    pictures = [""]
    while not pictures[-1] or pictures[-1] != pictures[-2]:
        page.wait_for_timeout(300)
        pictures.append(page.evaluate("document.querySelector('[data-chart] canvas').toDataURL()"))
    return pictures[-1]


def test_the_charts_follow_the_theme(as_role: AsRole, company: Campaign) -> None:
    page = as_role("analyst")
    page.goto(f"/metrics/?{SPRING}")
    drawn(page)
    light = at_rest(page)
    page.get_by_role("button", name="account and theme").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_function("before => document.querySelector('[data-chart] canvas').toDataURL() !== before", arg=light)


def test_without_script_the_numbers_are_all_there(as_role: AsRole, company: Campaign) -> None:
    page = as_role("analyst", script=False)
    page.goto(f"/metrics/?{SPRING}")
    expect(page.get_by_role("link", name=re.compile("^Revenue: "))).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("cell", name=re.compile(r"\d+\.\d.%")).first).to_be_visible()
    page.get_by_label("From").fill("2026-04-01")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("from=2026-04-01"))
