"""Whether health foretells who leaves: the bands are those of the window's start, and each figure opens."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer, HealthChange, Order
from metrics.foretelling import HealthReport, health
from retention.workspace.models import Workspace
from tests.baseline import assert_query_count
from tests.metrics.worlds import scope

pytestmark = pytest.mark.django_db
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def group(prefix: str, band: str, *, stay: int, leave: int) -> None:
    """Customers active on 1 March by an order, some of them in May too; their health was in a band, and fell later."""
    for number in range(stay + leave):
        who = Customer.objects.create(external_id=f"{prefix}{number}", name=f"{prefix}{number}")
        days = [START - 10 * DAY, *([END - 10 * DAY] if number < stay else [])]
        for at in days:
            Order.objects.create(
                external_id=f"{prefix}{number}-{at:%m}", customer=who, ordered_at=at, amount=5, currency="EUR"
            )
        told: dict[str, Any] = {"score": None, "coverage": 50, "parts": {}, "version": 0}
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
