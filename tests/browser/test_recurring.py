"""Recurring revenue in the browser: a subscription started, changed and cancelled by hand, and the waterfall."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from customers.facts.folding import fold
from customers.models import Customer, Subscription
from retention.common import clock
from tests.browser.conftest import AsRole, accessible
from tests.customers.known import customer
from tests.customers.subscribing import subscription, term

Look = Callable[[Page], None]
pytestmark = pytest.mark.django_db(transaction=True)


def ada() -> Customer:
    return customer("ada", name="Ada Lovelace")


def test_it_works(as_role: AsRole) -> None:
    """Started from the customer's page, then cancelled; each says first what it will do."""
    who = ada()
    page = as_role("account_manager")
    page.goto(f"/customers/{who.pk}/")
    page.get_by_role("link", name="New subscription").click()
    page.get_by_label("Plan").fill("Team")
    page.get_by_label("Amount").fill("100")
    accessible(page)
    page.get_by_role("button", name="Look at what it will do").click()
    expect(page.get_by_text("MRR today: 100.00 EUR instead of nothing.")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Start it").click()
    expect(page.get_by_text("In force")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_label("Reason").fill("Closed down")
    page.get_by_role("button", name="Look at what it will do").click()
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_label("Reason")).to_have_value("Closed down")
    page.get_by_role("button", name="Look at what it will do").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("link", name="Resume")).to_be_visible()
    assert Subscription.objects.get().cancel_reason == "Closed down"


@pytest.mark.parametrize("dark", [False, True])
def test_the_waterfall_stands_and_opens(as_role: AsRole, dark: bool) -> None:
    who, now = ada(), clock.now()
    row = subscription(who)
    term(row, now - timedelta(days=300), now - timedelta(days=90), amount=100)
    term(row, now - timedelta(days=90), amount=150)
    fold([who.pk])
    page = as_role("analyst", dark=dark)
    page.goto("/metrics/revenue/?window=365d")
    expect(page.locator("svg.waterfall rect")).to_have_count(7)
    accessible(page)
    page.get_by_role("link", name="+50.00 EUR").click()
    expect(page.get_by_text("Ada Lovelace")).to_be_visible()
    phone = as_role("analyst", phone=True, dark=dark)
    phone.goto("/metrics/revenue/?window=365d")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
