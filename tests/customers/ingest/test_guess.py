"""Guessing how to read a file."""

from pathlib import Path

import pytest

from customers.ingest.guess import guess
from customers.ingest.mapping import Source, StateRule, check
from customers.ingest.reader import Layout, Reader


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


pytestmark = pytest.mark.django_db


def test_it_works(shared: Path) -> None:
    path = shared / "online_retail" / "online_retail.csv.gz"
    found = guess(path)
    assert found.kind == "order_lines"
    assert found.layout == Layout()
    assert {name: source.column for name, source in found.fields.items()} == {
        "order_id": "InvoiceNo",
        "ordered_at": "InvoiceDate",
        "sku": "StockCode",
        "description": "Description",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
        "customer_id": "CustomerID",
        "country": "Country",
    }
    assert found.whole_numbers == ("CustomerID",)
    assert found.states == (StateRule("cancelled", "InvoiceNo", "starts with", "C"),)
    with Reader(path, found.layout) as reader:
        check(found, reader.columns)


def test_a_file_without_a_header(shared: Path) -> None:
    found = guess(shared / "cdnow" / "CDNOW_sample.txt", "orders")
    assert found.layout == Layout("whitespace", columns=tuple(f"Column {place}" for place in range(1, 6)))
    assert found.fields["ordered_at"] == Source(column="Column 3")
    assert found.dates == "ymd"


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("shopify_orders_export.example.csv", "order_lines", {"ordered_at": "Created at", "sku": "Lineitem sku"}),
        ("hubspot_contacts_export.example.csv", "customers", {"customer_id": "Record ID", "email": "Email"}),
        ("mailchimp_audience_export.header.csv", "customers", {"email": "Email Address", "joined_at": "OPTIN_TIME"}),
        ("shopify_customers_export.header.csv", "customers", {"customer_id": "Customer ID", "tags": "Tags"}),
        ("salesforce_contact_data_export.header.csv", "customers", {"customer_id": "AccountId", "name": "Name"}),
    ],
)
def test_exports_of_other_systems(shared: Path, name: str, kind: str, expected: dict[str, str]) -> None:
    path = shared / "crm_formats" / name
    if not path.exists():
        pytest.skip(f"the data sets have no {name}")
    found = guess(path, kind)
    assert {field: found.fields[field].column for field in expected} == expected


def test_first_and_last_names_are_put_together(file: Path) -> None:
    file.write_text("id,First Name,Last Name\n1,Ann,Archer\n")
    assert guess(file).fields["name"] == Source(text="{First Name} {Last Name}")


@pytest.mark.parametrize(
    ("text", "delimiter", "dates", "decimal"),
    [
        ("order_id;date;amount\nA1;31/12/2024;1.234,50\n", "semicolon", "dmy", "comma"),
        ("order_id,date,amount\nA1,12/31/2024,1234.50\n", "comma", "mdy", "point"),
        ("order_id\tdate\tamount\nA1\t2024-12-31\t3\n", "tab", "iso", "point"),
        ('order_id,date,amount\nA1,20241231,"3,50"\n', "comma", "ymd", "comma"),
        ("order_id,date,amount\n", "comma", "iso", "point"),
    ],
)
def test_how_values_are_written(file: Path, text: str, delimiter: str, dates: str, decimal: str) -> None:
    file.write_text(text)
    found = guess(file)
    assert (found.kind, found.layout.delimiter, found.dates, found.decimal) == ("orders", delimiter, dates, decimal)


def test_when_orders_are_cancelled(file: Path) -> None:
    file.write_text("order_id,date,amount,Cancelled at\nA1,2024-12-31,3,\n")
    assert guess(file).states == (StateRule("cancelled", "Cancelled at", "is not empty"),)
