"""Health in a real browser: other weights are tried, seen and saved, and a customer's page says why."""

from playwright.sync_api import expect

from customers.events.recording import Happening, record
from customers.models import Customer
from retention.common import clock
from retention.workspace.jobs import run
from retention.workspace.models import Job
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.customers.facts.world import DAY
from tests.customers.router import route


def somebody(name: str, used_days_ago: int, score: int) -> Customer:
    made = Customer.objects.create(external_id=name.lower(), name=name)
    now = clock.now()
    record([Happening(made.pk, "usage", now - used_days_ago * DAY)])
    record([Happening(made.pk, "survey.answered", now - DAY, payload={"score": score})])
    return made


def test_weights_are_tried_and_saved(as_role: AsRole) -> None:
    keen, _ = somebody("Keen", 1, 2), somebody("Fond", 90, 10)
    route()
    page = as_role("administrator", phone=True, dark=True)
    page.goto("/settings/health/")
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_role("link", name="Everybody else").click()
    expect(page.get_by_text("0 of 2 customers change band")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
    for field in page.get_by_label("Weight of").all():
        field.fill("0")
    page.get_by_label("Weight of Would recommend").fill("5")
    expect(page.get_by_text("2 of 2 customers change band")).to_be_visible()
    expect(page.get_by_text("1 to a better one, 1 to a worse one.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/jobs/**")
    run(Job.objects.get().pk)
    page.goto(f"/customers/{keen.pk}/")
    panel = page.get_by_role("region", name="Health")
    expect(panel.get_by_role("row", name="Would recommend")).to_contain_text("Answered 2 of 10")
    expect(panel).to_contain_text("Since then it is measured in another way")
    expect(panel.get_by_role("img")).to_be_visible()
    panel.get_by_text("History as a table").click()
    expect(panel.get_by_role("cell", name="Poor")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
