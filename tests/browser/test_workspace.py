"""Signing in, settings and long work, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from retention.workspace import jobs
from retention.workspace.models import Job, User
from retention.workspace.roles import Role
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)])
def test_it_works(as_role: AsRole, settings: Any, phone: bool, dark: bool) -> None:
    settings.DEMO = True
    page = as_role("", phone=phone, dark=dark)
    page.goto("/")
    expect(page).to_have_url(re.compile("/account/login/"))
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_role("button", name="Administrator").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for path in ("/settings/", "/settings/people/", "/settings/people/new/", "/account/", "/account/2fa/", "/start/"):
        page.goto(path)
        accessible(page)
        no_sideways_scroll(page)


def test_a_key_of_the_api_is_made_shown_once_and_withdrawn(as_role: AsRole) -> None:
    page = as_role("administrator", phone=True, dark=True)
    page.goto("/settings/keys/")
    page.get_by_role("link", name="Make a key").first.click()
    accessible(page)
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_label("The key")).to_have_value(re.compile("^ret_.{43}$"))
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_role("link", name="What the API can do").click()
    page.locator("#post_customers summary").click()
    expect(page.locator("#post_customers")).to_contain_text("external_id")
    accessible(page)
    no_sideways_scroll(page)
    page.goto("/settings/keys/")
    accessible(page)
    no_sideways_scroll(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("withdrawn by")).to_be_visible()


def test_a_password_lets_in(as_role: AsRole) -> None:
    User.objects.create_user("ada@example.test", "correct horse battery", role=Role.ADMINISTRATOR)
    page = as_role("")
    page.goto("/settings/people/")
    page.get_by_label("Email").fill("ada@example.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    accessible(page)
    page.get_by_label("Password").fill("correct horse battery")
    with page.expect_navigation(url=re.compile("/settings/people/$")):  # and its scripts, which open the menu
        page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="account and theme").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/account/login/"))


def test_a_mistake_in_the_settings_is_beside_its_field(as_role: AsRole) -> None:
    page = as_role("administrator")
    page.goto("/settings/")
    page.get_by_label("Name", exact=True).fill("Nordlicht")
    page.get_by_label("Currency").fill("1")
    page.get_by_role("button", name="Save the settings").click()
    expect(page.get_by_text("Give the three letters of a currency, such as EUR.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nordlicht")
    accessible(page)


def test_a_job_s_bar_moves_and_ends_in_its_summary(as_role: AsRole) -> None:
    page = as_role("administrator")
    me = User.objects.get(role=Role.ADMINISTRATOR)
    job = jobs.enqueue("counting", "Count", {}, me)
    page.goto(f"/jobs/{job.pk}/")
    expect(page.get_by_text("Waiting")).to_be_visible()
    accessible(page)
    Job.objects.update(state="running", done=50, total=200, stage="Counting")
    expect(page.get_by_text("50 of 200")).to_be_visible()
    page.reload()
    assert page.get_by_role("progressbar").get_attribute("value") == "25"
    Job.objects.update(state="done", done=200, summary={"counted": 200})
    expect(page.get_by_text("Counted")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Count: Done")


def test_a_job_is_stopped_where_it_is_shown(as_role: AsRole) -> None:
    page = as_role("administrator")
    job = jobs.enqueue("counting", "Count", {}, User.objects.get(role=Role.ADMINISTRATOR))
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()


def test_an_error_of_a_part_is_told_in_a_note(as_role: AsRole) -> None:
    page = as_role("administrator")
    job = jobs.enqueue("counting", "Count", {}, None)
    page.goto(f"/jobs/{job.pk}/")
    Job.objects.all().delete()
    expect(page.get_by_text("That is no longer there. Reload the page.").first).to_be_visible()
