"""The pages of metrics: who may, what they say when there is nothing, what they say of wrong dates."""

import csv
from collections.abc import Callable
from io import StringIO

import pytest
from django.test import Client

from campaigns.models import Campaign
from customers.models import Segment
from tests.baseline import assert_query_count

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
ADDRESSES = ("/metrics/", "/metrics/revenue/", "/metrics/cohorts/", "/metrics/nps/", "/metrics/receipt/retention_rate/")


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def test_it_works(company: Campaign, signed_in: SignIn) -> None:
    client = signed_in("analyst")
    overview = page(client, "/metrics/")
    for label in (
        "Customer retention rate",
        "Customer churn rate",
        "Active customers",
        "Repeat purchase rate",
        "Revenue",
    ):
        assert label in overview
    assert "3 Mar 2026 to 31 May 2026" in overview
    assert "Every third" in overview
    assert "Win back" in overview
    assert "Counted: without cancelled and refunded orders." in page(client, "/metrics/cohorts/")
    assert "Counted: all orders and credit notes." in page(client, "/metrics/cohorts/?orders=all")
    assert "By segment" in page(client, "/metrics/nps/?window=365d")
    assert "Effect of Win back" in page(client, f"/metrics/campaigns/{company.pk}/")


@pytest.mark.parametrize("role", ["administrator", "account_manager", "marketer", "analyst"])
def test_everybody_signed_in_may_read(today: None, signed_in: SignIn, role: str) -> None:
    for address in ADDRESSES:
        assert signed_in(role).get(address).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_else_may(client: Client, db: None, address: str) -> None:
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("address", ADDRESSES)
def test_reading_changes_nothing(company: Campaign, signed_in: SignIn, address: str) -> None:
    assert signed_in("analyst").post(address).status_code == 405


def test_no_page_shows_zero_percent_or_nan_of_nothing(company: Campaign, signed_in: SignIn) -> None:
    nobody = Segment.objects.get(name="Nobody").pk
    for address in ("/metrics/", "/metrics/nps/", f"/metrics/campaigns/{company.pk}/"):
        text = page(signed_in("analyst"), f"{address}?segment={nobody}")
        for wrong in ("nan", "Infinity", "0.0\N{NO-BREAK SPACE}%"):
            assert wrong not in text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=2026-05-01&to=2026-04-01", "must end after it begins"),
        ("from=2026-05-01", "both dates"),
        ("from=2199-05-01&to=2199-06-01", "has not begun yet"),
        ("from=yesterday&to=2026-04-01", "Dates are written as"),
        ("window=forever", "no window called forever"),
        ("segment=99999", "There is no segment 99999"),
    ],
)
@pytest.mark.parametrize("address", ADDRESSES)
def test_wrong_dates_are_told_and_kept(
    company: Campaign, signed_in: SignIn, address: str, query: str, says: str
) -> None:
    response = signed_in("analyst").get(f"{address}?{query}")
    assert response.status_code == 400
    assert says in response.content.decode()
    if "from=2026" in query:
        assert 'value="2026-05-01"' in response.content.decode()


def test_a_window_that_goes_on_is_cut_off_now_and_not_compared(company: Campaign, signed_in: SignIn) -> None:
    """`company` is on 1 June: what the days to come will bring is nobody's churn."""
    client = signed_in("analyst")
    so_far = client.get("/metrics/?from=2026-04-01&to=2026-09-01").context["report"].tiles
    by_now = client.get("/metrics/?from=2026-04-01&to=2026-06-02").context["report"].tiles
    for name, tile in so_far.items():
        assert tile.figure.value == by_now[name].figure.value
        assert tile.change is None
    text = page(client, "/metrics/?from=2026-04-01&to=2026-09-01")
    assert "The window has not ended" in text
    assert "Compared once the window is over" in text


def test_a_change_within_chance_is_neither_good_nor_bad(company: Campaign, signed_in: SignIn) -> None:
    tiles = signed_in("analyst").get("/metrics/").context["report"].tiles
    moved = [tile.change for tile in tiles.values() if tile.figure.interval and tile.change]
    assert moved
    assert all(change.good is None for change in moved if not change.clear)


@pytest.mark.parametrize(
    "address", ["/metrics/", "/metrics/cohorts/", "/metrics/nps/", "/metrics/campaigns/{campaign}/"]
)
def test_each_report_is_a_file_too(company: Campaign, signed_in: SignIn, address: str) -> None:
    response = signed_in("analyst").get(address.format(campaign=company.pk) + "?format=csv")
    assert response["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(StringIO(response.content.decode())))
    assert len(rows) > 2
    if "cohorts" not in address:
        assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("metrics overview", "/metrics/"),
        ("metrics revenue", "/metrics/revenue/"),
        ("metrics cohorts", "/metrics/cohorts/"),
        ("metrics cohorts on or after", "/metrics/cohorts/?measure=on_or_after"),
        ("metrics nps", "/metrics/nps/"),
        ("metrics campaign effect", "/metrics/campaigns/{campaign}/"),
        ("metrics receipt", "/metrics/receipt/retention_rate/"),
    ],
)
def test_each_page_takes_a_fixed_number_of_queries(
    company: Campaign, signed_in: SignIn, name: str, address: str
) -> None:
    assert_query_count(name, signed_in("analyst"), address.format(campaign=company.pk))
