"""Whether health foretells who leaves: the bands are those of the window's start, and each figure opens."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from customers.models import Customer, HealthChange, HealthProfile, Order
from metrics.catalogue import UnknownFigure
from metrics.foretelling import HealthReport, health
from metrics.receipts import receipt
from retention.workspace.models import Workspace
from tests.baseline import assert_query_count
from tests.metrics.worlds import scope

pytestmark = pytest.mark.django_db
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SCORES = {"good": 80, "watch": 55, "poor": 20}


def group(prefix: str, band: str, *, stay: int, leave: int) -> None:
    """Customers active on 1 March by an order, some of them in May too; their health was in a band, and fell later."""
    for number in range(stay + leave):
        who = Customer.objects.create(external_id=f"{prefix}{number}", name=f"{prefix}{number}")
        days = [START - 10 * DAY, *([END - 10 * DAY] if number < stay else [])]
        for at in days:
            Order.objects.create(
                external_id=f"{prefix}{number}-{at:%m}", customer=who, ordered_at=at, amount=5, currency="EUR"
            )
        told: dict[str, Any] = {"score": SCORES.get(band), "coverage": 50, "parts": {}, "version": 0}
        for at, then in ((START - 9 * DAY, "watch"), (START - 5 * DAY, band), (START + 5 * DAY, "poor")):
            HealthChange.objects.create(customer=who, at=at, band=then, **told)


@pytest.fixture
def report() -> HealthReport:
    Workspace.objects.update(basis="orders", activity_window=60, time_zone="UTC")
    group("g", "good", stay=30, leave=2)
    group("w", "watch", stay=3, leave=1)
    group("p", "poor", stay=4, leave=16)
    group("u", "", stay=1, leave=0)
    return health(scope("2026-03-01", "2026-06-01"))


def counts(report: HealthReport) -> list[tuple[int, int]]:
    pairs = ((figure.numerator, figure.denominator) for figure in report.figures)
    return [(part.customers, whole.customers) for part, whole in pairs if part and whole]


def test_it_works(report: HealthReport) -> None:
    assert counts(report) == [(2, 32), (1, 4), (16, 20), (0, 1)]
    assert report.told_apart
    assert [figure.small for figure in report.figures] == [False, True, True, True]


def test_the_order_is_judged_by_the_scores_of_the_windows_start(report: HealthReport) -> None:
    """19 left: 2 of 32 with 80, 1 of 4 with 55, 16 of 20 with 20. By hand, each pair counted."""
    pairs = 16 * (3 + 30) + 1 * 30 + (16 * 4 + 1 * 3 + 2 * 30) / 2
    judged = report.judged
    assert judged.order.value == pytest.approx(pairs / (19 * 37))
    assert judged.clear
    assert (judged.known, report.weighed_since) == (56, False)
    spans = [(each.low, each.high, each.left, each.customers) for each, _ in judged.tenths]
    assert spans == [(20, 20, 16, 20), (55, 55, 1, 4), (80, 80, 2, 32)]
    assert judged.lift.value == pytest.approx((16 / 20) / (19 / 56))


def test_every_part_of_the_order_opens(report: HealthReport) -> None:
    over = scope("2026-03-01", "2026-06-01")
    for figure in report.judged.figures:
        query = QueryDict(figure.query).dict()
        assert receipt(figure.name, over, query).figure == figure
        for part in figure.parts:
            opened = receipt(figure.name, over, query | {"part": part.key})
            assert opened.customers.count() == part.customers, (figure.name, part.key)
    lowest = receipt("churn_by_health", over, QueryDict(report.judged.tenths[0][1].query).dict())
    assert {line.evidence[-1][1] for line in lowest.all_lines()} == {20}
    for ends in (
        {},
        {"low": "5"},
        {"low": "60", "high": "50"},
        {"low": "0", "high": "101"},
        {"low": "-1", "high": "9"},
    ):
        with pytest.raises(UnknownFigure):
            receipt("churn_by_health", over, ends)


def test_too_little_history_is_said_so(signed_in: Callable[[str], Client]) -> None:
    Workspace.objects.update(basis="orders", activity_window=60, time_zone="UTC")
    group("u", "", stay=12, leave=12)
    client, url = signed_in("analyst"), "/metrics/health/?from=2026-03-01&to=2026-06-01"
    assert "Nobody’s health was known when this window began" in client.get(url).content.decode()
    group("g", "good", stay=12, leave=4)
    page = client.get(url).content.decode()
    assert "Too few to tell" in page
    assert "too few" in page
    HealthProfile.objects.filter(segment=None).delete()
    HealthProfile.objects.create(name="All", version=3, updated_at=END)
    assert "by those before" in client.get(url).content.decode()


def test_what_chance_could_make_is_not_told_apart() -> None:
    Workspace.objects.update(basis="orders", activity_window=60, time_zone="UTC")
    group("g", "good", stay=3, leave=1)
    group("p", "poor", stay=2, leave=2)
    assert not health(scope("2026-03-01", "2026-06-01")).told_apart


def test_the_page_takes_a_fixed_number_of_queries(report: HealthReport, signed_in: Callable[[str], Client]) -> None:
    url = "/metrics/health/?from=2026-03-01&to=2026-06-01"
    client = signed_in("analyst")
    assert "by more than chance" in client.get(url).content.decode()
    assert "churn_poor" in client.get(f"{url}&format=csv").content.decode()
    assert_query_count("metrics health", client, url)
