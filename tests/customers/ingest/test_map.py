"""Mappings: what is kept, what is refused, what a value becomes."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.ingest import naming
from customers.ingest.mapping import Mapping, MappingRefused, Source, StateRule, check, from_json
from customers.ingest.reader import Layout, Record
from customers.ingest.staging import stage
from retention.workspace.models import User

MAPPING = Mapping(
    "order_lines",
    Layout("tab", "latin-1", ("a", "b", "c")),
    dates="dmy",
    decimal="comma",
    whole_numbers=("a",),
    fields={
        "order_id": Source("a"),
        "ordered_at": Source("b"),
        "unit_price": Source("c"),
        "email": Source(text="c{a}@example.test"),
    },
    states=(StateRule("cancelled", "a", "starts with", "C"),),
)


def test_it_works() -> None:
    kept = json.loads(json.dumps(MAPPING.to_json()))
    assert kept["fields"]["email"] == {"text": "c{a}@example.test"}
    assert from_json(kept) == MAPPING
    check(MAPPING, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], "This is no mapping"),
        ({}, "This is no mapping: 'kind'."),
        ({"kind": "orders", "dates": "american"}, "dates is 'american' and must be one of iso, dmy, mdy, ymd."),
        ({"kind": "orders", "encoding": ["utf-8"]}, "encoding is ['utf-8'] and must be one of"),
        ({"kind": "orders", "colour": "red"}, "A mapping has no part named colour."),
        ({"kind": "orders", "fields": {"amount": {"col": "x"}}}, "This is no mapping"),
        ({"kind": "orders", "fields": {"amount": {"column": 3}}}, "a field comes from a column or a text"),
        ({"kind": "orders", "states": [{"state": "gone", "column": "x", "test": "is"}]}, "state is unknown"),
        ({"kind": "orders", "columns": 5}, "This is no mapping"),
    ],
)
def test_what_is_no_mapping_is_refused(data: Any, problem: str) -> None:
    with pytest.raises(MappingRefused) as refused:
        from_json(data)
    assert problem in str(refused.value)


def test_problems_are_told_by_field() -> None:
    mapping = Mapping(
        "orders",
        fields={"order_id": Source("id"), "ordered_at": Source(text="{day}"), "shoe": Source("x")},
        attributes={"plan": Source("plan")},
        states=(StateRule("refunded", "status", "is", "r"),),
    )
    with pytest.raises(MappingRefused) as refused:
        check(mapping, ("id", "x"))
    assert refused.value.problems == {
        "shoe": "Orders have no field shoe.",
        "": "Only files of customers and of events keep other columns.",
        "plan": "The file has no column plan; it has id, x.",
        "amount": "Amount is needed: choose its column.",
        "ordered_at": "The file has no column day; it has id, x.",
        "states": "The file has no column status; it has id, x.",
    }


@pytest.mark.django_db
def test_mappings_by_name(tmp_path: Path) -> None:
    assert naming.names() == ["cdnow_sample", "online_retail", "telco_customers", "telco_subscriptions"]
    naming.save("Shop", MAPPING)
    naming.save("Shop", MAPPING)
    assert naming.names() == ["Shop", "cdnow_sample", "online_retail", "telco_customers", "telco_subscriptions"]
    assert naming.named("Shop") == MAPPING
    assert naming.named("online_retail").kind == "order_lines"
    for name in ("nothing", "../mappings/online_retail", ""):
        with pytest.raises(MappingRefused, match="There is no mapping named"):
            naming.named(name)
    (tmp_path / "own.json").write_text(json.dumps(MAPPING.to_json()))
    assert naming.in_file(tmp_path / "own.json") == MAPPING
    (tmp_path / "own.json").write_text("{")
    with pytest.raises(MappingRefused, match="holds no mapping"):
        naming.in_file(tmp_path / "own.json")


def staged(mapping: Mapping, *rows: list[str]) -> list[dict[str, Any]]:
    """What staging makes of rows of the columns a, b, c."""
    records = [Record(line, row) for line, row in enumerate(rows, 1)]
    with transaction.atomic(), connection.cursor() as cursor:
        stage(records, ("a", "b", "c"), mapping, "Europe/Berlin", lambda _: None)
        cursor.execute("SELECT * FROM import_rows ORDER BY line")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def read_as(
    field: str, text: str, kind: str = "customers", dates: str = "iso", decimal: str = "point"
) -> tuple[Any, str]:
    """The value that a text has for a field, and the reason where it has none."""
    mapping = Mapping(kind, dates=dates, decimal=decimal, fields={"customer_id": Source(text="1"), field: Source("a")})
    (row,) = staged(mapping, [text, "", ""])
    return row[field], (row["refusal"] or "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("dates", "text", "instant"),
    [
        ("iso", "2024-05-01", datetime(2024, 4, 30, 22, tzinfo=UTC)),
        ("iso", "2024-5-1", datetime(2024, 4, 30, 22, tzinfo=UTC)),
        ("iso", "2024/05/01 10:30", datetime(2024, 5, 1, 8, 30, tzinfo=UTC)),
        ("iso", "2024-12-01T10:30:15.5", datetime(2024, 12, 1, 9, 30, 15, 500_000, tzinfo=UTC)),
        ("iso", "2024-05-01T10:30:00Z", datetime(2024, 5, 1, 10, 30, tzinfo=UTC)),
        ("iso", "2024-05-01 10:30:00 +0000", datetime(2024, 5, 1, 10, 30, tzinfo=UTC)),
        ("iso", "2024-05-01 10:30-05:00", datetime(2024, 5, 1, 15, 30, tzinfo=UTC)),
        ("iso", "2024-05-01 -05:00", datetime(2024, 5, 1, 5, tzinfo=UTC)),
        ("iso", "2024/05/01-05:00", datetime(2024, 5, 1, 5, tzinfo=UTC)),
        ("iso", "2024-05-01+05:00", datetime(2024, 4, 30, 19, tzinfo=UTC)),
        ("iso", "2024-05-01 10:30 UTC", datetime(2024, 5, 1, 10, 30, tzinfo=UTC)),
        ("iso", "2015-2-02T00:30:08.276Z", datetime(2015, 2, 2, 0, 30, 8, 276_000, tzinfo=UTC)),
        ("dmy", "1/12/2010 8:26", datetime(2010, 12, 1, 7, 26, tzinfo=UTC)),
        ("dmy", "01.12.2010", datetime(2010, 11, 30, 23, tzinfo=UTC)),
        ("mdy", "12/1/2010 8:26 PM", datetime(2010, 12, 1, 19, 26, tzinfo=UTC)),
        ("ymd", "20101201", datetime(2010, 11, 30, 23, tzinfo=UTC)),
        ("ymd", "20101201 08:26", datetime(2010, 12, 1, 7, 26, tzinfo=UTC)),
    ],
)
def test_dates(dates: str, text: str, instant: datetime) -> None:
    assert read_as("joined_at", text, dates=dates) == (instant, "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("dates", "text"),
    [
        ("iso", "now"),
        ("iso", "infinity"),
        ("iso", "2024-02-30"),
        ("iso", "2024-13-01"),
        ("iso", "31/12/2024"),
        ("iso", "1999.50"),
        ("iso", "0024-01-01"),
        ("iso", "9999-01-01"),
        ("iso", "2024-05-01 25:00"),
        ("iso", "2024-05-01 10:30 XYZ"),
        ("iso", "J2451187"),
        ("iso", "2024-05-01-05"),
        ("iso", "2024-05-01-05:00"),
        # What PostgreSQL would read as five hours east of Greenwich.
        ("iso", "2024-05-01T-05:00"),
        ("iso", "2024-05-01Z-05:00"),
        ("iso", "2024-05-01 10:30 UTC-05:00"),
        ("iso", "2024-05-01 10:30 GMT -05:00"),
        ("dmy", "99.99.2025"),
        ("dmy", "12/31/2024"),
        ("mdy", "31/12/2024"),
        ("dmy", "31/12/24"),
        ("ymd", "20241301"),
    ],
)
def test_what_is_no_date(dates: str, text: str) -> None:
    _, refusal = read_as("joined_at", text, dates=dates)
    assert refusal.startswith(f"Customer since: “{text}” ")
    assert "is not a date written as" in refusal


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("decimal", "text", "number"),
    [
        ("point", "12.50", "12.50"),
        ("point", "-3", "-3"),
        ("point", "1,234,567.5", "1234567.5"),
        ("point", "1 234", "1234"),
        ("point", ".5", "0.5"),
        ("point", "1e-05", "0.00001"),
        ("comma", "12,50", "12.50"),
        ("comma", "1.234.567,5", "1234567.5"),
        ("comma", "1\u00a0234,5", "1234.5"),
        ("comma", "-7", "-7"),
    ],
)
def test_numbers(decimal: str, text: str, number: str) -> None:
    assert read_as("amount", text, "orders", decimal=decimal)[0] == Decimal(number)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("decimal", "text"),
    [
        ("point", "12,5"),
        ("comma", "12.5"),
        ("point", "NaN"),
        ("point", "0x1F"),
        ("point", "1_000"),
        ("point", "-"),
        ("point", "e5"),
        ("point", "1.2.3"),
        ("point", "1e99"),
        ("point", "1000000000000"),
        ("point", "£5"),
    ],
)
def test_what_is_no_number(decimal: str, text: str) -> None:
    _, refusal = read_as("amount", text, "orders", decimal=decimal)
    assert refusal == f"Amount: “{text}” is not a number written as {'1234.50' if decimal == 'point' else '1234,50'}."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("customer_id", "  x1 ", "x1"),
        ("name", "x" * 301, None),
        ("email", "a.b+c@mail.example.test", "a.b+c@mail.example.test"),
        ("email", "a@b", None),
        ("email", "a@b@c.de", None),
        ("email", "Ann <a@b.de>", None),
        ("email", "a@b.de\nBcc: x@y.de", None),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("time_zone", "Mars/Olympus", None),
        ("kind", "Company", "company"),
        ("kind", "both", None),
        ("consent", "Yes", "granted"),
        ("consent", "unsubscribed", "withdrawn"),
        ("consent", "perhaps", None),
        ("tags", "vip; north ,x,", ["vip", "north", "x"]),
        ("tags", "x" * 51, None),
        ("name", "Robert'); DROP TABLE students;--", "Robert'); DROP TABLE students;--"),
        ("name", "100 % {a} \\ \u2028", "100 % {a} \\ \u2028"),
    ],
)
def test_other_values(field: str, text: str, value: Any) -> None:
    found, refusal = read_as(field, text)
    assert found == value
    assert bool(refusal) == (value is None)


@pytest.mark.django_db
def test_the_account_manager_is_known_by_address() -> None:
    ann = User.objects.create(email="Ann@example.test")
    assert read_as("owner_id", "ann@EXAMPLE.test") == (ann.pk, "")
    assert read_as("owner_id", "bob@example.test")[1].endswith("is not the e-mail address of a colleague here.")


@pytest.mark.django_db
def test_texts_with_columns() -> None:
    fields = {
        "customer_id": Source(text="x-{a}-{b}"),
        "email": Source(text="c{a}@example.test"),
        "name": Source(text="{a} {b}"),
        "country": Source(text="100 % 'fixed' {}"),
    }
    mapping = Mapping("customers", whole_numbers=("a",), fields=fields)
    one, two = staged(mapping, ["17850.0", "b", ""], ["", "b", ""])
    assert (one["customer_id"], one["email"], one["name"]) == ("x-17850-b", "c17850@example.test", "17850 b")
    assert one["country"] == "100 % 'fixed' {}"
    # Part of an id or an address is none; of a name what there is.
    assert (two["customer_id"], two["email"], two["name"]) == (None, None, "b")
    assert two["refusal"] == "Customer id: there is none."


@pytest.mark.django_db
def test_states_by_rule() -> None:
    rules = (
        StateRule("cancelled", "a", "starts with", "C%"),
        StateRule("refunded", "b", "is", "Back"),
        StateRule("cancelled", "c", "is not empty"),
    )
    fields = {"order_id": Source("a"), "ordered_at": Source(text="2024-01-01"), "amount": Source(text="1")}
    rows = staged(
        Mapping("orders", fields=fields, states=rules),
        ["C%1", "back", ""],
        ["C1", "BACK", ""],
        ["1", "", " x "],
        ["2", "", " "],
    )
    assert [row["state"] for row in rows] == ["cancelled", "refunded", "cancelled", "completed"]


@pytest.mark.django_db(transaction=True)
@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
    | st.from_regex(r"[-+0-9eE.,:/TZ ]{0,20}", fullmatch=True),
    dates=st.sampled_from(["iso", "dmy", "mdy", "ymd"]),
    decimal=st.sampled_from(["point", "comma"]),
)
def test_any_text_is_read_or_refused(text: str, dates: str, decimal: str) -> None:
    """No text makes staging fail, whatever field it is for."""
    fields = {name: Source("a") for name in ("order_id", "ordered_at", "amount", "refunded", "currency", "email")}
    mapping = Mapping(
        "orders", fields=fields, dates=dates, decimal=decimal, states=(StateRule("cancelled", "a", "is", text),)
    )
    (row,) = staged(mapping, [text, text, text])
    assert row["refusal"] or not text.strip()
