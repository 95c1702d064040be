"""Every number opens: each figure shown has a receipt, and the receipt lists just as many customers as it says."""

import csv
import re
from collections.abc import Callable
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.test import Client

from campaigns.models import Campaign
from customers.models import Customer, Segment
from metrics.catalogue import UnknownFigure
from metrics.definitions import DEFINITIONS
from metrics.receipts import Receipt, receipt
from metrics.retention import Active
from metrics.scope import Scope, read_scope
from metrics.sources import Rows
from retention.workspace.models import Workspace
from tests.metrics.reading import Number, numbers
from tests.metrics.worlds import scope

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
PAGES = (
    "/metrics/",
    "/metrics/?from=2026-03-01&to=2026-05-01",
    "/metrics/?window=365d&segment={segment}",
    "/metrics/cohorts/",
    "/metrics/cohorts/?orders=all&as=numbers",
    "/metrics/cohorts/?measure=on_or_after&segment={segment}",
    "/metrics/cohorts/?measure=revenue&orders=paid",
    "/metrics/cohorts/?measure=cumulative",
    "/metrics/revenue/",
    "/metrics/revenue/?from=2026-03-01&to=2026-05-01&segment={segment}",
    "/metrics/revenue/?currency=USD",
    "/metrics/books/",
    "/metrics/health/?from=2026-01-20&to=2026-05-01",
    "/metrics/nps/",
    "/metrics/nps/?window=12m",
    "/metrics/campaigns/{campaign}/",
)


@pytest.fixture
def pages(company: Campaign, signed_in: SignIn) -> dict[str, list[Number]]:
    client = signed_in("analyst")
    keys = {"campaign": company.pk, "segment": Segment.objects.get(name="Every third").pk}
    return {url: numbers(client.get(url.format(**keys)).content.decode()) for url in PAGES}


def test_every_number_on_every_page_opens(pages: dict[str, list[Number]]) -> None:
    for url, shown in pages.items():
        assert len(shown) > 5, url
        for number in shown:
            assert number.quiet or number.link.startswith("/metrics/receipt/"), f"{url}: {number.text} does not open"


def test_every_number_is_what_its_receipt_counts(pages: dict[str, list[Number]], signed_in: SignIn) -> None:
    """One address of each figure over the web; the many others just as the page reads them, which is faster."""
    client = signed_in("analyst")
    shown = {number.link: number for page in pages.values() for number in page if not number.quiet}
    seen: set[str] = set()
    for link, number in shown.items():
        name = urlsplit(link).path.split("/")[-2]
        if name not in seen:
            assert client.get(link).context["receipt"].figure == opened(link).figure
        seen.add(name)
        agrees(number, opened(link))
    assert seen == set(DEFINITIONS), "a figure of the catalogue is on no page"


def test_the_division_on_a_receipt_comes_to_its_figure(pages: dict[str, list[Number]], signed_in: SignIn) -> None:
    """Of money where the figure is of money: one of customers came to another share."""
    client = signed_in("analyst")
    divided: dict[str, set[tuple[bool, bool]]] = {}
    for link in {number.link for number in pages["/metrics/"] + pages["/metrics/revenue/"] if not number.quiet}:
        page = client.get(link).content.decode()
        if found := re.search(r"num-inline\">([\d.,]+)\D*÷ ([\d.,]+)\D*= ([\d.]+)", page):
            above, below, share = (float(each.replace(",", "")) for each in found.groups())
            assert round(100 * above / below, 1) == pytest.approx(share, abs=0.06), link
            divided.setdefault(link.split("/")[3], set()).add(("EUR" in found[0], share not in (0, 100)))
    of_customers = {name for name, told in divided.items() if (False, True) in told}
    assert of_customers == {"retention_rate", "churn_rate", "repeat_rate", "second_order_rate"}
    assert (True, True) in divided["net_revenue_retention"]


def opened(link: str) -> Receipt:
    query = QueryDict(urlsplit(link).query).dict()
    return receipt(urlsplit(link).path.split("/")[-2], read_scope(query, Workspace.current()), query)


def agrees(number: Number, found: Receipt) -> None:
    """A count is the number of customers listed, money what they come to, anything else the receipt's value."""
    listed = found.customers.count()
    assert listed == found.part.customers, number
    if re.fullmatch(r"[+−]?[\d,]+( ?few)?", number.text):
        told = (listed, round(float(found.figure.value or 0)), round(found.part.amount or 0))
        assert int(re.sub(r"\D", "", number.text)) in told, number


def every_receipt(where: Scope, campaign: Campaign) -> list[Receipt]:
    """Of every figure in the catalogue, each part."""
    which = {"low": "0", "high": "60", "campaign": str(campaign.pk), "orders": "kept", "period": "2"}
    found = [receipt(name, where, which) for name in DEFINITIONS]
    return [receipt(one.figure.name, where, {**which, "part": part.key}) for one in found for part in one.figure.parts]


def check(found: Receipt) -> None:
    listed = {line.customer.pk for line in found.all_lines()}
    assert len(listed) == found.part.customers, f"{found.figure.name}, {found.part.key}"
    if found.scope.segment:
        members = found.scope.segment.memberships.values_list("customer_id", flat=True)
        assert listed <= set(members)


@pytest.mark.parametrize("segment", ["", "Every third", "Nobody"])
def test_each_part_of_each_figure_lists_as_many_customers_as_it_says(company: Campaign, segment: str) -> None:
    where = scope("2026-03-01", "2026-06-01", segment=Segment.objects.filter(name=segment).first())
    receipts = every_receipt(where, company)
    assert len(receipts) > 40
    assert any(found.part.customers for found in receipts) == (segment != "Nobody")
    for found in receipts:
        check(found)


def test_a_receipt_that_forgot_the_segment_is_caught(company: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Active, scope: Scope, part: str) -> Rows:
        return Customer.objects.order_by().values("pk")

    where = scope("2026-03-01", "2026-06-01", segment=Segment.objects.get(name="Every third"))
    monkeypatch.setattr(Active, "behind", forgetful)
    receipts = [found for found in every_receipt(where, company) if found.figure.name == "churn_rate"]
    with pytest.raises(AssertionError, match="churn_rate, lost"):
        check(receipts[0])


def test_the_page_says_what_is_counted_and_lists_the_customers(company: Campaign, signed_in: SignIn) -> None:
    response = signed_in("analyst").get("/metrics/receipt/churn_rate/?from=2026-03-01&to=2026-06-01&part=numerator")
    page = response.content.decode()
    figure = response.context["receipt"].figure
    assert figure.definition.text in page
    assert "Active means an order, not cancelled or refunded, in the 90 days before." in page
    assert "version 1" in page
    assert response.context["receipt"].part.key == "lost"
    assert "Buyer 1" in page


def rows_of(response: HttpResponse | StreamingHttpResponse) -> list[list[str]]:
    content = b"".join(response) if isinstance(response, StreamingHttpResponse) else response.content
    return list(csv.reader(StringIO(content.decode())))


def test_the_file_has_all_the_customers_and_no_formulas(company: Campaign, signed_in: SignIn) -> None:
    Customer.objects.filter(name="By phone").update(name="=HYPERLINK(1)")
    address = "/metrics/receipt/nps/?part=typed_in&format=csv"
    head, row = rows_of(signed_in("analyst").get(address))  # type: ignore[arg-type]
    assert head == ["id", "name", "e-mail", "Score", "Answered", "Why"]
    assert row[1] == "'=HYPERLINK(1)"
    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:00\+00:00", row[4])
    assert row[-1] == "'=1+1"


def test_the_file_has_money_to_two_places_and_local_time(company: Campaign, signed_in: SignIn) -> None:
    Workspace.objects.update(time_zone="Europe/Madrid")
    head, *rows = rows_of(signed_in("analyst").get("/metrics/receipt/revenue/?format=csv"))  # type: ignore[arg-type]
    assert rows
    for row in rows:
        for label, value in zip(head, row, strict=True):
            assert not re.search(r"\.\d{3}", value), label
            assert not value.endswith("+00:00"), label


@pytest.mark.parametrize(
    "address",
    [
        "nothing/",
        "retention_rate/?part=nothing",
        "effect/",
        "effect/?campaign=999999",
        "effect/?part=treated_squares",
        "cohort_active/",
        "cohort_active/?orders=kept&period=x",
        "cohort_active/?orders=kept&period=99999999999",
        "cohort_active/?orders=some&period=1",
    ],
)
def test_what_is_no_figure_is_not_found(company: Campaign, signed_in: SignIn, address: str) -> None:
    query = f"{'&' if '?' in address else '?'}campaign={company.pk}" if "treated_squares" in address else ""
    assert signed_in("analyst").get(f"/metrics/receipt/{address}{query}").status_code == 404


def test_a_part_for_reckoning_only_does_not_open(company: Campaign) -> None:
    with pytest.raises(UnknownFigure):
        receipt("effect", scope("2026-03-01", "2026-06-01"), {"campaign": str(company.pk), "part": "treated_squares"})


def test_the_address_of_a_receipt_says_its_scope(pages: dict[str, list[Number]]) -> None:
    for number in pages["/metrics/?window=365d&segment={segment}"]:
        if not number.quiet:
            query = QueryDict(urlsplit(number.link).query)
            assert query["segment"]
            assert parse_qs(urlsplit(number.link).query)["from"]
