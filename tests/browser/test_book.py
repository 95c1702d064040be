"""An account manager's book in the browser: its renewals forecast, a plan shared, its figures read, and handed over."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from customers.facts.folding import fold
from customers.models import Contact, HandOver, Milestone, PlanLink, RenewalForecast
from customers.plans.sharing import address
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.customers.known import customer
from tests.customers.subscribing import subscription

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works(as_role: AsRole) -> None:
    anna = User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")
    User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER, first_name="Ben")
    acme = customer("acme", name="Acme", owner=anna, is_key_account=True)
    Contact.objects.create(customer=acme, name="Ada Lovelace", is_main=True)
    now = clock.now()
    subscription(
        acme, now - timedelta(days=300), amount=1200, interval="year", renews_at=now + timedelta(days=2), notice_days=1
    )
    fold([acme.pk])
    page = as_role("account_manager")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/today/")
    expect(page.get_by_text("a year of this contract")).to_be_visible()
    assert page.locator(".need-money").first.evaluate("money => money.scrollWidth <= money.clientWidth")
    page.goto("/today/renewals/")
    accessible(page)
    expect(page.locator(".board-month")).to_have_count(6)
    assert page.locator(".board").evaluate("board => board.scrollWidth <= board.clientWidth")
    page.get_by_role("link", name="Forecast the renewal of Acme").click()
    page.get_by_role("radio", name="At risk").check()
    page.get_by_label("Why").fill("A cheaper offer is in.")
    accessible(page)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".did", has_text="Acme: at risk.")).to_be_visible()
    expect(page.locator(".renewal", has_text="Anna: A cheaper offer is in.")).to_be_visible()
    accessible(page)
    assert RenewalForecast.objects.get().forecast == "at_risk"
    page.get_by_role("link", name="100.00 EUR").first.click()
    expect(page.get_by_role("row", name="Acme")).to_be_visible()
    accessible(page)
    page.goto(f"/customers/{acme.pk}/")
    page.get_by_role("link", name="New plan").click()
    page.get_by_label("Title").fill("Live by June")
    page.get_by_label("Goals").fill("Every branch uses it")
    accessible(page)
    page.get_by_role("button", name="Begin the plan").click()
    page.get_by_role("link", name="Add a milestone to Every branch uses it").click()
    page.get_by_label("Milestone", exact=True).fill("Branches counted")
    page.get_by_label("By", exact=True).fill((now + timedelta(days=9)).date().isoformat())
    page.get_by_label("Who sees to it there").select_option("Ada Lovelace")
    accessible(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Done: Branches counted").click()
    expect(page.get_by_text("1 of 1 milestone done")).to_be_visible()
    page.get_by_label("Agreed with").select_option("Ada Lovelace")
    page.get_by_role("button", name="They agreed").click()
    expect(page.get_by_role("button", name="It is reached")).to_be_visible()
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_label("Works until")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_label("Works until")).to_be_focused()
    accessible(page)
    assert Milestone.objects.get().state == "done"
    guest = as_role("", phone=True, dark=True, script=False)
    guest.goto("/" + address(PlanLink.objects.get()).split("/", 3)[3])
    expect(guest.get_by_text("Acme: Ada Lovelace")).to_be_visible()
    no_sideways_scroll(guest)
    phone = as_role("account_manager", phone=True, dark=True)
    plan = f"/plans/{PlanLink.objects.get().plan_id}/"
    for url in ("/today/renewals/", "/today/plans/", plan, "/metrics/books/", "/plans/new/", "/cases/new/"):
        phone.goto(url)
        accessible(phone)
        no_sideways_scroll(phone)
    phone.goto("/customers/hand-overs/new/")
    phone.get_by_label("Go to").select_option("Ben")
    phone.get_by_label("What your colleague should know").fill("Call them first.")
    accessible(phone)
    phone.get_by_role("button", name="Look at what it will do").click()
    expect(phone.get_by_text("1 customer goes from Anna to Ben")).to_be_visible()
    accessible(phone)
    phone.get_by_role("button", name="Hand them over").click()
    expect(phone.get_by_text("Call them first.")).to_be_visible()
    accessible(phone)
    no_sideways_scroll(phone)
    assert HandOver.objects.get().receiver.first_name == "Ben"
