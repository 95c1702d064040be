"""An account manager brings a file in: upload, mapping, trial, import, refused rows."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer, Import, ImportMapping, Order
from retention.common import clock
from retention.workspace import jobs
from tests.browser.conftest import AsRole, accessible, no_sideways_scroll

pytestmark = pytest.mark.django_db(transaction=True)

FILE = (
    "Order no;Client;Mail;Bought on;Total;Cancelled at\n"
    "A1;7;ann@example.test;31/12/2024;12,50;\n"
    "A2;8;ben@example.test;01/02/2025;7,00;02/02/2025\n"
    "A3;9;cid at example;01/02/2025;7,00;\n"
)


def work() -> None:
    """What a worker does."""
    for job_id in jobs.due():
        jobs.run(job_id)


def upload(page: Page, path: Path) -> None:
    page.goto("/data/new/")
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Read the file").click()


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(FILE)
    return path


def test_it_works(as_role: AsRole, orders: Path) -> None:
    page = as_role("account_manager")
    page.goto("/data/")
    accessible(page)
    page.get_by_role("link", name="Bring in a file").click()
    accessible(page)
    page.get_by_label("File").set_input_files(orders)
    page.get_by_label("What it holds").select_option("Orders")
    page.get_by_role("button", name="Read the file").click()

    expect(page.get_by_role("heading", name="orders.csv")).to_be_visible()
    expect(page.get_by_label("Dates are written as")).to_have_value("dmy")
    expect(page.get_by_label("Numbers are written as")).to_have_value("comma")
    expect(page.get_by_label("Column for Order id")).to_have_value("Order no")
    made = page.get_by_role("region", name="Preview")
    page.get_by_label("Column for Customer id").select_option("Client")
    page.get_by_label("Column for E-mail").select_option("Mail")
    page.get_by_label("Text for Currency").fill("GBP")
    page.get_by_label("Column for Ordered at").select_option("Bought on")
    expect(made.get_by_role("row").nth(1)).to_contain_text("ann@example.test")
    expect(made).to_contain_text("E-mail: “cid at example” is not an e-mail address.")
    expect(made).to_contain_text("cancelled")
    accessible(page)
    no_sideways_scroll(page)
    page.get_by_label("Save this mapping as").fill("Shop orders")
    page.get_by_role("button", name="Try it out").click()

    expect(page.get_by_text("Waiting")).to_be_visible()
    work()
    expect(page.get_by_text("nothing is brought in yet")).to_be_visible()
    accessible(page)
    assert not Order.objects.exists()
    page.get_by_role("button", name="Bring it in").click()
    work()
    expect(page.get_by_text("The file is brought in.")).to_be_visible()
    assert list(Order.objects.order_by("pk").values_list("external_id", "amount", "state", "currency")) == [
        ("A1", Decimal("12.5"), "completed", "GBP"),
        ("A2", Decimal(7), "cancelled", "GBP"),
    ]
    assert Customer.objects.get(external_id="7").email == "ann@example.test"
    assert ImportMapping.objects.get().name == "Shop orders"

    page.get_by_role("link", name="1 refused row").click()
    expect(page.get_by_role("cell", name="A3;9;cid at example;01/02/2025;7,00;")).to_be_visible()
    accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert rows[1:] == [
        ["4", "E-mail: “cid at example” is not an e-mail address.", "A3;9;cid at example;01/02/2025;7,00;"]
    ]


def test_a_file_that_is_not_utf_8(as_role: AsRole, tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("customer id,name\n1,Zoë\n".encode("latin-1"))
    page = as_role("marketer")
    upload(page, path)
    expect(page.get_by_role("alert")).to_contain_text("Line 2 is not UTF-8: byte 0xEB at position 5.")
    page.get_by_label("Encoding").select_option("latin-1")
    page.get_by_role("button", name="Read it this way").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("Zoë")
    page.get_by_role("button", name="Try it out").click()
    work()
    page.get_by_role("button", name="Bring it in").click()
    work()
    expect(page.get_by_text("The file is brought in.")).to_be_visible()
    assert Customer.objects.get().name == "Zoë"


def test_on_a_phone(as_role: AsRole, orders: Path) -> None:
    page = as_role("account_manager", phone=True)
    upload(page, orders)
    page.get_by_label("Column for Order id").wait_for()
    accessible(page)
    no_sideways_scroll(page)
    page.goto("/data/")
    expect(page.get_by_role("link", name="orders.csv")).to_be_visible()
    wide, shown = page.locator(".table-frame").evaluate("frame => [frame.scrollWidth, frame.clientWidth]")
    assert wide <= shown
    accessible(page)


def test_without_script(as_role: AsRole, orders: Path) -> None:
    page = as_role("account_manager", script=False)
    upload(page, orders)
    page.get_by_label("Column for Ordered at").select_option("Bought on")
    page.get_by_role("button", name="Try it out").click()
    work()
    page.reload()
    page.get_by_role("button", name="Bring it in").click()
    work()
    assert Import.objects.get().state_in_words() == "Brought in"


COMPANIES = "Record ID,Company name,Website URL,Company owner,Create Date\n{},,Sam,2024-02-01 09:30\n9002,New Ltd,,,\n"


def test_a_recognised_file_is_rehearsed_brought_in_and_undone(as_role: AsRole, tmp_path: Path) -> None:
    path = tmp_path / "companies.csv"
    path.write_text(COMPANIES.format("9001,Blue Ltd"))
    Customer.objects.create(external_id="9001", name="Old Ltd", kind="company")
    page = as_role("account_manager")
    upload(page, path)
    expect(page.locator("#recognised")).to_contain_text("HubSpot: companies")
    expect(page.get_by_label("Column for Customer's name")).to_have_value("Company name")
    page.get_by_label("What the file may do").select_option("both")
    accessible(page)
    page.get_by_role("button", name="Try it out").click()
    work()
    page.get_by_role("link", name="See what would change").click()
    expect(page.get_by_role("row", name="Customer Blue Ltd Name Old Ltd Blue Ltd")).to_be_visible()
    accessible(page)
    page.go_back()
    page.get_by_role("button", name="Bring it in").click()
    work()
    expect(page.get_by_text("The file is brought in.")).to_be_visible()
    Customer.objects.filter(external_id="9002").update(phone="1", updated_at=clock.now())
    page.get_by_role("button", name="Undo the import").click()
    work()
    expect(page.get_by_text("nothing is taken back yet")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Take it back").click()
    work()
    expect(page.get_by_text("The file was brought in, and taken back")).to_be_visible()
    expect(page.get_by_role("button", name="Undo the import")).to_have_count(0)
    page.get_by_role("link", name="See what stays").click()
    expect(page.get_by_role("row", name="New Ltd")).to_contain_text("It was changed after the file came in.")
    accessible(page)
    no_sideways_scroll(page)
    assert set(Customer.objects.values_list("name", flat=True)) == {"Old Ltd", "New Ltd"}


CALLS = (
    "Record ID,Call title,Call notes,Activity date,Call outcome,Associated Company IDs\n"
    "1,Prices,Asked for a discount,2024-03-01 10:00,Connected,9001\n"
    "2,Hello,,2024-03-02 10:00,,none\n"
)


def test_calls_stand_on_the_customers_page_until_they_are_undone(as_role: AsRole, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(CALLS)
    customer = Customer.objects.create(external_id="9001", name="Old Ltd", kind="company")
    page = as_role("account_manager")
    for counts in ("1 0 0 0", "0 0 1 0"):
        upload(page, path)
        expect(page.locator("#recognised")).to_contain_text("HubSpot: calls")
        page.get_by_role("button", name="Try it out").click()
        work()
        expect(page.get_by_text("nothing is brought in yet")).to_be_visible()
        page.get_by_role("button", name="Bring it in").click()
        work()
        expect(page.get_by_role("row", name=f"Interactions {counts}")).to_be_visible()
        expect(page.get_by_role("link", name="1 refused row")).to_be_visible()
    page.goto(f"/customers/{customer.pk}/")
    expect(page.get_by_text("Asked for a discount").first).to_be_visible()
    expect(page.get_by_text("Somebody (calls.csv) logged a call")).to_be_visible()
    page.goto("/data/")
    page.get_by_role("link", name="calls.csv").last.click()
    page.get_by_role("button", name="Undo the import").click()
    work()
    page.get_by_role("button", name="Take it back").click()
    work()
    expect(page.get_by_text("The file was brought in, and taken back")).to_be_visible()
    page.goto(f"/customers/{customer.pk}/")
    expect(page.get_by_text("Taken back of what calls.csv had brought")).to_be_visible()
    expect(page.get_by_text("Asked for a discount")).to_have_count(0)
    expect(page.get_by_text("logged a call")).to_have_count(0)


DEALS = "Record ID,Deal Name,Deal Stage,Amount\n9001,A deal,Won,100\n"


def test_a_file_that_has_no_place_here_renames_nobody(as_role: AsRole, tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text(DEALS)
    Customer.objects.create(external_id="9001", name="Old Ltd", kind="company")
    page = as_role("account_manager")
    upload(page, path)
    expect(page.get_by_role("alert")).to_contain_text("This is a file of deals")
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_text("Customer id is needed: choose its column").first).to_be_visible()
    work()
    assert Import.objects.get().state_in_words() != "Brought in"
    assert Customer.objects.get().name == "Old Ltd"
