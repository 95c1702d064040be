"""The account manager's day: what needs them, dealt with on the spot, with and without script."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from customers.models import Case, Customer, CustomerFacts, Stage, Task
from customers.work.tasks import open_task
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll

pytestmark = pytest.mark.django_db(transaction=True)
Open = Callable[[str], Customer]


@pytest.fixture
def customers(live_server: object) -> list[Customer]:
    """A bakery that is unhappy and a café that went quiet, both the account manager's."""
    me = User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")
    User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER, first_name="Ben")
    made = []
    for name, stage, revenue in (("Boreal Bakery", Stage.ACTIVE, 500), ("Café Lindgren", Stage.AT_RISK, 90)):
        customer = Customer.objects.create(external_id=name, name=name, owner=me, email="x@example.test", phone="+441")
        since = clock.now() - timedelta(days=3)
        CustomerFacts.objects.create(
            customer=customer, stage=stage, stage_since=since, revenue_365d=Decimal(revenue), last_order_at=since
        )
        made.append(customer)
    opened_at = clock.now() - timedelta(days=30)
    Case.objects.create(customer=made[1], external_id="C-1", subject="It is cold", priority="low", opened_at=opened_at)
    due = clock.now() - timedelta(hours=3)
    open_task(made[0].pk, "Call about their score of 2", "Cold bread.", due, me.pk, "answer:1")
    return made


def line(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name, exact=True))


@pytest.mark.parametrize("phone", [False, True])
@pytest.mark.parametrize("dark", [False, True])
def test_it_works(as_role: AsRole, customers: list[Customer], phone: bool, dark: bool) -> None:
    page = as_role("account_manager", phone=phone, dark=dark)
    page.goto("/today/")
    expect(page.locator(".need-name")).to_have_text(["Boreal Bakery", "Café Lindgren", "Café Lindgren"])
    expect(line(page, "Boreal Bakery")).to_contain_text("Cold bread.")
    expect(line(page, "Boreal Bakery")).to_contain_text("Late:")
    expect(line(page, "Café Lindgren").last).to_contain_text("Find out why they went quiet")
    accessible(page)
    no_sideways_scroll(page)
    line(page, "Boreal Bakery").get_by_text("Why here").click()
    expect(line(page, "Boreal Bakery")).to_contain_text("× 500.00 EUR at stake")
    accessible(page)
    no_sideways_scroll(page)
    line(page, "Boreal Bakery").get_by_text("Why here").click()
    line(page, "Boreal Bakery").get_by_text("Snooze").click()
    accessible(page)
    no_sideways_scroll(page)


@pytest.mark.parametrize("script", [True, False])
def test_dealing_with_it_on_the_spot(as_role: AsRole, customers: list[Customer], script: bool) -> None:
    page = as_role("account_manager", script=script)
    page.goto("/today/")
    line(page, "Boreal Bakery").get_by_role("button", name="Done").click()
    expect(line(page, "Boreal Bakery")).to_have_count(0)
    assert Task.objects.get().state == Task.State.DONE
    page.get_by_role("button", name="Undo").click()
    expect(line(page, "Boreal Bakery")).to_be_visible()
    line(page, "Boreal Bakery").get_by_text("Hand over").first.click()
    line(page, "Boreal Bakery").get_by_label("Hand over to").select_option(label="Ben")
    line(page, "Boreal Bakery").get_by_role("button", name="Hand over").click()
    expect(line(page, "Boreal Bakery")).to_have_count(0)
    line(page, "Café Lindgren").first.get_by_role("button", name="Done").click()
    expect(line(page, "Café Lindgren")).to_have_count(1)
    assert Case.objects.get().state == Case.State.ANSWERED
    line(page, "Café Lindgren").get_by_text("Snooze").click()
    line(page, "Café Lindgren").get_by_role("button", name="In a month").click()
    expect(page.get_by_role("heading", name="Nobody needs you just now")).to_be_visible()
    assert Task.objects.filter(state=Task.State.OPEN).count() == 2


def test_acting_leaves_the_page_where_it_is_and_says_what_was_done(as_role: AsRole, customers: list[Customer]) -> None:
    page = as_role("account_manager")
    page.goto("/today/")
    page.evaluate("window.still = true")
    line(page, "Boreal Bakery").get_by_role("button", name="Done").click()
    expect(page.locator(".did")).to_contain_text("Done: Call about their score of 2 – Boreal Bakery.")
    expect(page.locator(".did")).to_be_focused()
    expect(page.locator("#live")).to_have_text("Done: Call about their score of 2 – Boreal Bakery.")
    assert page.evaluate("window.still")
    accessible(page)


def test_a_task_by_hand(as_role: AsRole, customers: list[Customer]) -> None:
    page = as_role("account_manager", phone=True)
    page.goto("/today/")
    page.get_by_role("link", name="Open a task").click()
    accessible(page)
    page.get_by_label("Customer").fill("Café Lindgren")
    page.get_by_label("What to do").fill("Send the offer")
    page.get_by_role("button", name="Open the task").click()
    expect(line(page, "Café Lindgren").filter(has_text="Send the offer")).to_be_visible()


def test_a_playbook_from_the_shelf_to_its_first_task(as_role: AsRole, customers: list[Customer]) -> None:
    page = as_role("account_manager", phone=True)
    page.goto("/playbooks/")
    accessible(page)
    no_sideways_scroll(page)
    save = page.locator(".offer").filter(has=page.get_by_role("heading", name="Save"))
    save.get_by_role("button", name="Make it mine").click()
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_role("link", name="Add a step").click()
    page.get_by_label("What to do").fill("Write to the owner")
    page.get_by_label("Day").fill("-1")
    page.get_by_role("button", name="Add the step").click()
    expect(page.get_by_text("Give 0 to 365 days.")).to_be_visible()
    expect(page.get_by_label("What to do")).to_have_value("Write to the owner")
    accessible(page)
    page.get_by_label("Day").fill("2")
    page.get_by_role("button", name="Add the step").click()
    page.get_by_role("button", name="Move “Write to the owner” up").click()
    expect(page.locator(".playbook-steps li").nth(3)).to_contain_text("Write to the owner")
    page.get_by_role("button", name="Switch on").click()
    page.goto(f"/customers/{customers[0].pk}/playbooks/")
    page.get_by_label("Playbook", exact=True).select_option(label="Save")
    page.get_by_role("button", name="Start").click()
    page.goto(f"/customers/{customers[0].pk}/playbooks/")
    page.get_by_role("link", name="Save", exact=True).click()
    expect(page.locator(".playbook-steps li")).to_have_count(5)
    accessible(page)
    no_sideways_scroll(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_text("Stopped by Anna")).to_be_visible()
    page.goto("/cases/")
    accessible(page)
    no_sideways_scroll(page)
