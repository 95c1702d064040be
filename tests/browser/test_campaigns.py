"""Campaigns in a real browser: written with a live preview, rehearsed, launched, read on a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Message
from campaigns.sweeping import sweep_until_idle
from campaigns.tracking import addresses
from customers.models import Segment
from retention.workspace.models import Workspace
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.campaigns import people

BESIDE = """rows => rows.every(({children: [tick, words]}) =>
    words.getBoundingClientRect().left >= tick.getBoundingClientRect().right)"""
EVERYBODY = {"all": [{"field": "email", "op": "is_not", "value": "nobody"}]}


@pytest.fixture(autouse=True)
def outbox(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_URL, settings.OUTBOX_DIR = "", tmp_path


def lapsing(how_many: int = 12) -> Segment:
    made = people.segment("Lapsing", people.customers(how_many))
    made.rule, made.size = EVERYBODY, how_many
    made.save()
    return made


def test_it_works(as_role: AsRole) -> None:
    lapsing()
    page = as_role("marketer")
    page.goto("/campaigns/")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_role("link", name="Begin with “Win back”").click()
    page.get_by_label("Customers who enter").select_option(label="Lapsing")
    page.get_by_label("Held out, in percent").fill("20")
    mail = page.frame_locator("iframe[name=preview]").frame_locator("iframe")
    expect(mail.locator("body")).to_contain_text("Dear Customer 1")
    page.get_by_label("Preview as").fill("c7")
    expect(mail.locator("body")).to_contain_text("Dear Customer 7")
    page.get_by_label("E-mail, as HTML").fill("<p>Hello {{ customer.nam }}</p>")
    expect(page.frame_locator("iframe[name=preview]").locator("body")).to_contain_text("can't be filled in")
    page.get_by_label("E-mail, as HTML").fill("<p>Hello {{ customer.name }}</p>")
    expect(mail.locator("body")).to_contain_text("Hello Customer 7")
    page.get_by_role("button", name="Send me a test").click()
    expect(page.locator("#tested")).to_contain_text("Kept in the outbox")
    accessible(page)
    page.get_by_role("button", name="Save and rehearse the launch").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Launch Win back?")
    accessible(page)
    page.get_by_role("button", name="Launch: send to").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Running")
    sweep_until_idle()
    page.reload()
    accessible(page)
    sent = Message.objects.filter(state="sent").count()
    assert 0 < sent <= 12
    page.locator(".term a", has_text="sent").click()
    expect(page.locator("tbody tr")).to_have_count(sent)
    page.get_by_role("link", name="Why, for Customer").first.click()
    expect(page.locator("main")).to_contain_text("Agreed to get e-mail.")
    accessible(page)
    page.set_viewport_size({"width": 340, "height": 800})
    looked_at = page.locator("details").first.locator(".findings li")
    assert looked_at.count() > 5
    assert looked_at.evaluate_all(BESIDE), "a long condition stays beside its tick"
    head = page.locator(".visit-head")
    head.locator("strong").evaluate("each => each.textContent = 'Was not taken in. '.repeat(5)")
    assert head.evaluate_all(BESIDE), "what became of it stays beside its sign"


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("dark", [False, True])
def test_every_page_reads_well(as_role: AsRole, phone: bool, dark: bool) -> None:
    made = lapsing()
    draft = people.campaign(made, running=False, name="Draft")
    campaign = people.campaign(made, rest_days=0, holdout_share=20)
    sweep_until_idle()
    page = as_role("marketer", phone=phone, dark=dark)
    for path in (
        "",
        "new/",
        "new/?from=ask",
        f"{draft.pk}/",
        f"{draft.pk}/launch/",
        f"{campaign.pk}/",
        f"{campaign.pk}/customers/?group=held_out",
        "outbox/",
        "suppressions/",
    ):
        page.goto(f"/campaigns/{path}")
        accessible(page)
        no_sideways_scroll(page)


def test_the_outbox_shows_a_mail_whose_links_work(as_role: AsRole, live_server: LiveServer, settings: Any) -> None:
    settings.PUBLIC_URL = live_server.url
    addresses._around.cache_clear()
    Workspace.objects.update(name="Harbour Goods")
    people.campaign(lapsing(1), step={"body": '<p>Dear {{ customer.name }}, <a href="/nowhere/">look</a></p>'})
    sweep_until_idle()
    page = as_role("marketer")
    page.goto("/campaigns/outbox/")
    page.get_by_role("link", name="We miss you, Customer 1").click()
    mail = page.frame_locator("iframe.mail-frame").frame_locator("iframe")
    expect(mail.locator("body")).to_contain_text("Harbour Goods")
    expect(mail.locator("body")).to_contain_text("Dear Customer 1, look")
    message = Message.objects.get()
    assert message.opened_at is None
    with page.context.expect_page() as opened:
        mail.get_by_role("link", name="Unsubscribe").click()
    expect(opened.value.get_by_role("button", name="Unsubscribe")).to_be_visible()
    addresses._around.cache_clear()


def test_unsubscribing_on_a_phone_without_script(as_role: AsRole) -> None:
    people.campaign(lapsing(1))
    sweep_until_idle()
    message = Message.objects.get()
    page = as_role("", phone=True, script=False)
    page.goto(addresses.unsubscribe_address(message.pk).removeprefix("http://testserver"))
    no_sideways_scroll(page)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.locator("main")).to_contain_text("You are unsubscribed")
