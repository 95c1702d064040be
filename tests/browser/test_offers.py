"""An offer from a customer's page, seen before it is given, asked for above the limits, approved on Today."""

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer
from loyalty.models import Offer
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.loyalty.giving import credit, limits, offer, paying

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boreal(live_server: object) -> Customer:
    """Anna looks after Boreal, who pays 100 EUR a month; above 50 EUR she asks Olga."""
    anna = User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")
    olga = User.objects.create_user("administrator@example.test", role=Role.ADMINISTRATOR, first_name="Olga")
    limits(offer_most=50, month_most=500, margin_floor=20, approver=olga)
    customer = paying()
    customer.owner = anna
    customer.save()
    return customer


def offers(page: Page, customer: Customer) -> None:
    """The customer's page with the form open in its part."""
    page.goto(f"/customers/{customer.pk}/")
    page.get_by_role("link", name="Make an offer").click()
    expect(page.get_by_text("10 % of 100.00 EUR MRR × 3 months = 30.00 EUR")).to_be_visible()


@pytest.mark.parametrize("phone", [False, True])
def test_it_works(as_role: AsRole, boreal: Customer, phone: bool) -> None:
    page = as_role("account_manager", phone=phone, dark=phone)
    offers(page, boreal)
    page.get_by_label("Discount in %").fill("15")
    expect(page.get_by_text("5.00 EUR left of 50.00 EUR", exact=True)).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_label("Why they might leave").select_option("price")
    page.get_by_role("button", name="Grant 15 % off for 3 months").click()
    expect(page.get_by_text("Granted: 15 % off for 3 months.")).to_be_visible()
    assert Offer.objects.get().state == Offer.State.GRANTED
    page.goto("/loyalty/")
    expect(page.get_by_role("link", name="15 % off for 3 months").locator("visible=true")).to_have_count(1)
    accessible(page)
    no_sideways_scroll(page)
    page.goto("/loyalty/outcomes/")
    accessible(page)
    no_sideways_scroll(page)


def test_above_the_limits_somebody_is_asked_and_answers_on_today(as_role: AsRole, boreal: Customer) -> None:
    page = as_role("account_manager")
    offers(page, boreal)
    page.get_by_text("Credit", exact=True).click()
    expect(page.get_by_text("Look at what it costs")).to_be_visible()
    page.get_by_label("Amount").fill("80")
    expect(page.get_by_text("30.00 EUR too much")).to_be_visible()
    expect(page.get_by_text("Olga will be asked")).to_be_visible()
    accessible(page)
    page.get_by_label("Why they might leave").select_option("competitor")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("Asked Olga to approve a credit of 80.00 EUR")).to_be_visible()

    boss = as_role("administrator")
    boss.goto("/today/")
    expect(boss.get_by_text("Cost of one offer: 80.00 EUR is 30.00 EUR above 50.00 EUR")).to_be_visible()
    accessible(boss)
    boss.get_by_role("button", name="Decline").click()
    expect(boss.get_by_text("Say in a word why not").first).to_be_visible()
    boss.get_by_role("textbox", name="A word about why").fill("Worth it")
    boss.get_by_role("button", name="Approve").click()
    expect(boss.get_by_text("Anna is told on Today.")).to_be_visible()
    expect(boss.get_by_text("Offers for you to approve")).to_have_count(0)

    page.goto("/today/")
    expect(page.get_by_text("Give them a credit of 80.00 EUR")).to_be_visible()
    expect(page.get_by_text("Approved by Olga. Worth it")).to_be_visible()


def test_without_script(as_role: AsRole, boreal: Customer) -> None:
    page = as_role("account_manager", script=False)
    page.goto(f"/loyalty/customer/{boreal.pk}/new/")
    page.get_by_label("Discount in %").fill("12")
    page.get_by_label("Why they might leave").select_option("price")
    page.get_by_role("button", name="Grant").click()
    expect(page.get_by_text("Nothing was granted yet.")).to_be_visible()
    expect(page.get_by_text("12 % of 100.00 EUR MRR")).to_be_visible()
    page.get_by_role("button", name="Grant 12 % off for 3 months").click()
    assert Offer.objects.get().percent == 12


def test_limits_are_read_on_a_phone(as_role: AsRole, boreal: Customer) -> None:
    page = as_role("account_manager", phone=True)
    page.goto(f"/loyalty/customer/{boreal.pk}/new/")
    expect(page.get_by_text("Before the margin falls below 20 %")).to_be_visible()
    no_sideways_scroll(page)
    heights = page.locator(".gauge-label").evaluate_all("labels => labels.map(label => label.offsetHeight)")
    assert max(heights) < 30, "each on one line"


def test_limits_and_one_offer_are_accessible(as_role: AsRole, boreal: Customer) -> None:
    anna = User.objects.get(first_name="Anna")
    made = offer(boreal, anna, credit(80))
    boss = as_role("administrator", phone=True)
    for url in ("/loyalty/limits/", "/loyalty/limits/new/", f"/loyalty/{made.pk}/", "/loyalty/waiting/"):
        boss.goto(url)
        accessible(boss)
        no_sideways_scroll(boss)
    page = as_role("account_manager")
    page.goto(f"/loyalty/{made.pk}/")
    page.get_by_text("Withdraw…").click()
    accessible(page)
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.get_by_text("Withdrawn: its cost is back in the budgets.")).to_be_visible()
