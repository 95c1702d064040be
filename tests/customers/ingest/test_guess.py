"""Guessing how to read a file."""

from pathlib import Path

import pytest

from customers.ingest.guess import guess, states_in
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
        ('order_id,date,amount\nA1,2024-12-31,3\nA2,"2024-12-31,3\nA3,2024-12-31,3,4,5\n', "comma", "iso", "point"),
    ],
)
def test_how_values_are_written(file: Path, text: str, delimiter: str, dates: str, decimal: str) -> None:
    file.write_text(text)
    found = guess(file)
    assert (found.kind, found.layout.delimiter, found.dates, found.decimal) == ("orders", delimiter, dates, decimal)


def test_when_orders_are_cancelled(file: Path) -> None:
    file.write_text("order_id,date,amount,Cancelled at\nA1,2024-12-31,3,\n")
    assert guess(file).states == (StateRule("cancelled", "Cancelled at", "is not empty"),)


def test_a_column_of_states_gives_the_rules(file: Path) -> None:
    file.write_text(
        "order_id,date,amount,Status\nA1,2024-12-31,3,completed\nA2,2024-12-31,3,Canceled\n"
        "A3,2024-12-31,3,refunded\nA4,2024-12-31,3,weird\nA5,2024-12-31,3,completed\n"
    )
    assert guess(file).states == (
        StateRule("cancelled", "Status", "is", "Canceled"),
        StateRule("refunded", "Status", "is", "refunded"),
    )
    said = states_in(file, Layout())
    assert said == {"Status": [("completed", 2), ("Canceled", 1), ("refunded", 1), ("weird", 1)]}


def test_a_column_of_many_texts_tells_no_state(file: Path) -> None:
    rows = "".join(f"A{n},2024-12-31,3,on shelf {n}\n" for n in range(20))
    file.write_text(f"order_id,date,amount,status\n{rows}")
    assert guess(file).states == ()


def test_columns_as_people_call_them(file: Path) -> None:
    file.write_text("id,Mail Address,Tel,Land,Signup\n1,ann@example.test,040 123,France,31.12.2024\n")
    found = guess(file)
    assert {name: source.column for name, source in found.fields.items()} == {
        "customer_id": "id",
        "email": "Mail Address",
        "phone": "Tel",
        "country": "Land",
        "joined_at": "Signup",
    }
    assert found.dates == "dmy"


def test_an_address_is_known_by_its_values_in_spite_of_a_slip(file: Path) -> None:
    rows = "".join(f"{n},a{n}@example.test\n" for n in range(5))
    file.write_text(f"id,Wohin\n{rows}9,none\n")
    assert guess(file).fields["email"].column == "Wohin"
    file.write_text(f"id,Wohin\n1,a@example.test\n{rows.replace('@', ' at ')}")
    assert "email" not in guess(file).fields


@pytest.mark.parametrize(
    ("amounts", "decimal"),
    [
        (["99.90", "12.00", '"1.234,50"'], "point"),
        (['"99,90"', '"12,00"', "1234.50"], "comma"),
        (['"1,234.50"', "12"], "point"),
        (["12", "13"], "point"),
    ],
)
def test_one_number_written_otherwise_does_not_decide_for_all(file: Path, amounts: list[str], decimal: str) -> None:
    file.write_text("order_id,date,amount\n" + "".join(f"A{n},2024-12-31,{a}\n" for n, a in enumerate(amounts)))
    assert guess(file).decimal == decimal


def test_days_before_months_unless_they_cannot_be(file: Path) -> None:
    for days, dates in ((["01.02.2024", "31.12.2024"], "dmy"), (["01/02/2024", "12/31/2024"], "mdy")):
        file.write_text("order_id,date,amount\n" + "".join(f"A{n},{day},1\n" for n, day in enumerate(days)))
        assert guess(file).dates == dates


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Name,E-Mail\nAnn,ann@x.test\nBen,ben@x.test\n", "email"),
        ("Name,E-Mail,Phone\nAnn,ann@x.test,030 12345\nBen,,030 12346\n", "phone"),
        ("Name,E-Mail\nAnn,ann@x.test\nBen,\n", "customer_id"),
        ("Customer ID,Name,E-Mail\n1,Ann,ann@x.test\n", "customer_id"),
    ],
)
def test_customers_without_ids_are_told_apart_by_what_each_has(file: Path, text: str, match: str) -> None:
    file.write_text(text)
    assert guess(file).match == match
