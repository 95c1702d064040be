"""Two customers become one in a real browser, and two again."""

from playwright.sync_api import expect

from customers.duplicates import finding
from customers.models import Contact, Customer
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll
from tests.customers.known import customer


def pair() -> tuple[Customer, Customer]:
    one = customer("crm-1", name="Acme Industries", kind="company", email="info@acme.test", phone="030 1234567")
    other = customer("shop-9", name="ACME Industries Ltd", kind="company", email="Info@acme.test", tags=["vip"])
    Contact.objects.create(customer=other, name="Ada Lovelace", email="ada@acme.test")
    finding.look()
    return one, other


def test_found_compared_merged_and_undone(as_role: AsRole) -> None:
    one, other = pair()
    page = as_role("account_manager")
    page.goto("/customers/")
    page.get_by_text("More", exact=True).first.click()
    page.get_by_role("link", name="Duplicates").click()
    expect(page.locator("main")).to_contain_text("Very likely")
    accessible(page)
    page.get_by_role("link", name="Compare Acme Industries and ACME Industries Ltd").click()
    accessible(page)
    page.get_by_label("Name: ACME Industries Ltd").check()
    page.get_by_label("Why they are the same").fill("One firm, bought twice")
    page.get_by_role("button", name="Merge into Acme Industries").click()
    expect(page.locator("main")).to_contain_text("One firm, bought twice")
    accessible(page)
    page.goto(f"/customers/{other.pk}/")
    expect(page).to_have_url(f"{page.url.split('/customers/')[0]}/customers/{one.pk}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("ACME Industries Ltd")
    expect(page.locator("main")).to_contain_text("Ada Lovelace")
    expect(page.locator("main")).to_contain_text("was merged into this customer")
    accessible(page)
    page.locator(".people").get_by_role("link", name="ACME Industries Ltd").click()
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.locator("main")).to_contain_text("are two again")
    accessible(page)
    page.goto(f"/customers/{other.pk}/")
    expect(page.locator("main")).to_contain_text("shop-9")
    _on_a_phone_in_the_dark(as_role, one, other)


def _on_a_phone_in_the_dark(as_role: AsRole, one: Customer, other: Customer) -> None:
    finding.look()
    page = as_role("account_manager", phone=True, dark=True)
    of_one = (f"{one.pk}/merge/", f"{one.pk}/merge/{other.pk}/", f"{one.pk}/merge-group/", f"{one.pk}/duplicates/")
    for url in ("duplicates/", "merges/", *of_one):
        page.goto(f"/customers/{url}")
        no_sideways_scroll(page)
        accessible(page)
