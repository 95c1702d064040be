"""The record in a real browser: a field of one's own, the people at a customer, what was talked about."""

from playwright.sync_api import FilePayload, expect

from customers.models import Attachment, Contact, Customer, CustomField, Interaction, Task
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.customers.custom.defining import one_of_each
from tests.customers.known import customer


def test_a_new_field_is_at_work_at_once(as_role: AsRole) -> None:
    ada = customer("ada", name="Ada Lovelace")
    page = as_role("administrator", phone=True, dark=True)
    page.goto("/settings/fields/")
    accessible(page)
    page.get_by_role("link", name="Add a field").first.click()
    page.get_by_label("Label").fill("Account tier")
    page.get_by_label("Type").select_option("choice")
    page.get_by_role("button", name="Add the field").click()
    expect(page.get_by_text("A list needs at least one choice.")).to_be_visible()
    accessible(page)
    page.get_by_label("Choices").fill("Gold\nSilver")
    page.get_by_role("button", name="Add the field").click()
    expect(page.get_by_role("link", name="Account tier")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
    page.goto(f"/customers/{ada.pk}/edit/")
    page.get_by_label("Account tier").select_option("Gold")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dl.pairs", has_text="Account tier")).to_contain_text("Gold")
    page.goto("/customers/?column=custom.account_tier")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("combobox", name="Account tier").select_option("Gold")
    accessible(page)
    page.get_by_role("button", name="Show these", exact=True).click()
    expect(page.get_by_role("link", name="Remove the filter Account tier: Gold")).to_be_visible()
    expect(page.get_by_role("cell", name="Gold", exact=True)).to_have_count(1)
    no_sideways_scroll(page)
    assert CustomField.objects.get().key == "account_tier"


def test_a_segment_is_built_on_a_custom_field(as_role: AsRole) -> None:
    one_of_each()
    customer("ada", name="Ada Lovelace", attributes={"areas": ["north"]})
    page = as_role("marketer")
    page.goto("/segments/new/")
    page.get_by_label("Field").select_option("custom.areas")
    expect(page.get_by_label("Comparison")).to_have_value("has")
    page.get_by_label("Value", exact=True).select_option("north")
    accessible(page)
    expect(page.get_by_text("Ada Lovelace")).to_be_visible()


def test_people_come_and_go(as_role: AsRole) -> None:
    acme = customer("acme", name="Acme", kind=Customer.Kind.COMPANY)
    page = as_role("account_manager", dark=True)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/customers/{acme.pk}/")
    page.get_by_role("link", name="Add a person").click()
    accessible(page)
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("Role").fill("Head of computing")
    page.get_by_role("button", name="Add the person").click()
    expect(page.get_by_text("Head of computing")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_role("link", name="Edit Ada Lovelace").click()
    page.get_by_label("Where they said so").fill("Trade fair")
    page.get_by_label("What proves it").fill("Card 17")
    page.get_by_role("button", name="Keep what they said").click()
    expect(page.get_by_text("Trade fair, Card 17")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_role("button", name="Remove").click()
    accessible(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Head of computing")).to_be_visible()
    assert Contact.objects.get().removed_at is None


def test_a_call_is_logged_in_two_clicks(as_role: AsRole) -> None:
    acme = customer("acme", name="Acme")
    User.objects.create(email="boss@example.test", role=Role.ADMINISTRATOR)
    page = as_role("account_manager", phone=True)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/customers/{acme.pk}/")
    page.get_by_role("link", name="Call", exact=True).click()
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_label("What was said").fill("They want to renew, @boss.")
    file = FilePayload(name="offer.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7")
    page.get_by_label("Files").set_input_files(file)
    page.get_by_role("button", name="Log it").click()
    expect(page.locator(".talk-text", has_text="They want to renew")).to_be_visible()
    expect(page.locator(".happened", has_text="logged a call")).to_be_visible()
    accessible(page)
    no_sideways_scroll(page)
    page.locator(".talks a").first.click()
    page.wait_for_url("**/interactions/**")
    accessible(page)
    with page.expect_download() as kept:
        page.get_by_role("link", name="offer.pdf").click()
    assert kept.value.suggested_filename == "offer.pdf"
    assert Attachment.objects.get().kind == "application/pdf"
    page.get_by_role("button", name="Remove").click()
    accessible(page)
    page.get_by_role("button", name="Bring it back").click()
    assert Interaction.objects.get().text == "They want to renew, @boss."
    assert Task.objects.get().assignee == User.objects.get(email="boss@example.test")
