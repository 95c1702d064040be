"""Repeat purchase and revenue: cancelled, refunded, partly refunded, foreign and nobody's orders."""

from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer, CustomerFacts
from metrics.figures import Figure
from metrics.purchases import Purchases, SecondOrders
from metrics.scope import Scope
from metrics.sources import Source
from tests.metrics.worlds import buyer, instant, order, scope, segment

pytestmark = pytest.mark.django_db


def read(source: Source, where: Scope) -> dict[str, Figure]:
    return {name: found[0] for name, found in source.figures(where).items()}


def names(source: Source, where: Scope, part: str) -> set[str]:
    return set(Customer.objects.filter(pk__in=source.behind(where, part)).values_list("name", flat=True))


def test_it_works() -> None:
    buyer("twice", "2026-03-01T00:00:00+00:00", "2026-03-31T23:59:59+00:00", amount="12.50")
    buyer("once", "2026-03-15", amount="5")
    buyer("before and after", "2026-02-28", "2026-04-01T00:00:00+00:00")
    march = scope("2026-03-01", "2026-04-01")
    found = read(Purchases(), march)
    assert found["repeat_rate"].value == 0.5
    assert found["revenue"].value == Decimal(30)
    assert names(Purchases(), march, "again") == {"twice"}
    assert names(Purchases(), march, "buyers") == {"twice", "once"}


def test_cancelled_refunded_and_partly_refunded_orders() -> None:
    keeps = buyer("keeps", "2026-03-10", amount="100")
    order(keeps, "2026-03-11", "40", refunded=Decimal(15))
    order(keeps, "2026-03-12", "30", state="refunded")
    order(keeps, "2026-03-13", "-30", state="cancelled")
    returns = buyer("returns all")
    order(returns, "2026-03-12", "70", state="cancelled")
    march = scope("2026-03-01", "2026-04-01")
    found = read(Purchases(), march)
    assert found["revenue"].value == Decimal(125)
    assert found["repeat_rate"].value == 1
    assert [part.customers for part in found["repeat_rate"].excluded] == [1]
    assert names(Purchases(), march, "cancelled_only") == {"returns all"}


def test_what_has_not_happened_yet_is_not_counted() -> None:
    CustomerFacts.objects.create(
        customer=buyer("now and later", "2026-05-20", "2026-06-20"), first_order_at=instant("2026-03-10")
    )
    summer = scope("2026-05-01", "2026-07-01", now=instant("2026-06-01"))
    assert read(Purchases(), summer)["revenue"].value == Decimal(10)
    assert read(SecondOrders(), summer)["second_order_rate"].value is None, "their 90 days are not over"


def test_what_revenue_leaves_out_is_beside_it() -> None:
    buyer("here", "2026-03-10", amount="100")
    order(buyer("abroad"), "2026-03-10", "900", currency="USD")
    order(None, "2026-03-10", "55")
    found = read(Purchases(), scope("2026-03-01", "2026-04-01"))["revenue"]
    assert found.value == Decimal(100)
    by_key = {part.key: part for part in found.excluded}
    assert by_key["unknown"].amount == Decimal(55)
    assert by_key["foreign"].customers == 1


def test_no_orders_is_not_zero() -> None:
    found = read(Purchases(), scope("2026-03-01", "2026-04-01"))
    for name in ("repeat_rate", "revenue"):
        assert found[name].value is None
        assert found[name].definition.nothing == "no orders"


def test_the_matured_rate_is_over_customers_seen_for_90_days() -> None:
    """In the 10 days from 1 April the first 90 days of those end who bought first from 1 January to 10 January."""
    for name, days in {
        "again in time": ["2026-01-03", "2026-04-02"],
        "again too late": ["2026-01-03", "2026-04-05"],
        "never again": ["2026-01-09"],
        "not over yet": ["2026-02-01", "2026-02-03"],
        "over long ago": ["2025-10-01"],
    }.items():
        CustomerFacts.objects.create(customer=buyer(name, *days), first_order_at=instant(days[0]))
    april = scope("2026-04-01", "2026-04-11")
    found = read(SecondOrders(), april)["second_order_rate"]
    assert found.value == pytest.approx(1 / 3)
    assert names(SecondOrders(), april, "ordered_again") == {"again in time"}
    assert names(SecondOrders(), april, "seen_90_days") == {"again in time", "again too late", "never again"}
    assert names(SecondOrders(), april, "too_new") == {"not over yet"}


def test_a_second_order_that_was_cancelled_is_none() -> None:
    who = buyer("sent it back", "2026-01-03")
    order(who, "2026-01-10", state="cancelled")
    CustomerFacts.objects.create(customer=who, first_order_at=instant("2026-01-03"))
    assert read(SecondOrders(), scope("2026-04-01", "2026-04-11"))["second_order_rate"].value == 0


def test_a_segment_limits_every_number() -> None:
    inside = buyer("inside", "2026-03-10", "2026-03-11")
    buyer("outside", "2026-03-10")
    order(None, "2026-03-10", "55")
    march = scope("2026-03-01", "2026-04-01", segment=segment("VIP", inside))
    found = read(Purchases(), march)
    assert found["repeat_rate"].value == 1
    assert found["revenue"].value == Decimal(20)
    assert found["revenue"].excluded[-1].amount == 0


@pytest.mark.parametrize("source", [Purchases(), SecondOrders()])
def test_a_trend_is_one_query(source: Source, django_assert_num_queries: Any) -> None:
    who = buyer("twice", "2026-02-10", "2026-03-10", "2026-03-11")
    CustomerFacts.objects.create(customer=who, first_order_at=instant("2026-02-10"))
    march = scope("2026-03-01", "2026-04-01")
    series = march.window.series(4)
    with django_assert_num_queries(1):
        trend = source.figures(march, series)
    for name, points in trend.items():
        assert [p.value for p in points] == [source.figures(march.over(w))[name][0].value for w in series]
