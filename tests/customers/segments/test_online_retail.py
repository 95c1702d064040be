"""Real orders: Online Retail as of 10 December 2011, its facts and a segment against counts made from the file."""

import csv
import gzip
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db.models import Sum
from pytest_django.plugin import DjangoDbBlocker

from customers.models import CustomerFacts, CustomerMonth, Segment
from customers.segments import membership
from customers.segments.ready_made import READY_MADE
from retention.workspace.models import Workspace
from tests.customers.router import route
from tests.online_retail import DAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("routed")]


@pytest.fixture(scope="module")
def routed(online_retail: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Every event has been reacted to, once for all tests here, and in the workspace's own currency."""
    with django_db_blocker.unblock(), time_machine.travel(DAY, tick=False):
        Workspace.objects.update(currency="GBP")
        route(5_000)


@pytest.fixture(scope="module")
def invoices(shared: Path) -> dict[str, dict[str, tuple[datetime, Decimal]]]:
    """Customer → invoice → when, and how much, read from the file with nothing of the product. Credit notes not."""
    found: dict[str, dict[str, tuple[datetime, Decimal]]] = defaultdict(dict)
    with gzip.open(shared / "online_retail" / "online_retail.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            customer, invoice = line["CustomerID"].removesuffix(".0"), line["InvoiceNo"]
            if not customer or invoice.startswith("C"):
                continue
            when = datetime.fromisoformat(line["InvoiceDate"]).replace(tzinfo=ZoneInfo("UTC"))
            first, amount = found[customer].get(invoice, (when, Decimal()))
            found[customer][invoice] = min(first, when), amount + Decimal(line["Quantity"]) * Decimal(line["UnitPrice"])
    return found


def test_the_segment_equals_a_count_from_the_file(invoices: dict[str, dict[str, tuple[datetime, Decimal]]]) -> None:
    with time_machine.travel(DAY, tick=False):
        segment = Segment.objects.create(name="Lapsing", rule=READY_MADE["lapsing"].rule)
        membership.refresh()
    cut = DAY - timedelta(days=60)
    expected = {
        f"c{customer}@example.test"
        for customer, bought in invoices.items()
        if len(bought) >= 2 and max(when for when, _ in bought.values()) < cut
    }
    members = segment.memberships.filter(left_at=None)
    assert set(members.values_list("customer__email", flat=True)) == expected
    segment.refresh_from_db()
    assert segment.size == len(expected) == 903


def test_facts_equal_the_file(invoices: dict[str, dict[str, tuple[datetime, Decimal]]]) -> None:
    """REFERENCE.md §5: 4,372 customers, 4,339 of them with an order that is no credit note."""
    facts = CustomerFacts.objects.values_list("customer__email", "orders", "revenue", "first_order_at", "last_order_at")
    assert len(facts) == 4_372
    bought = {email: tuple(rest) for email, *rest in facts if rest[0]}
    assert len(bought) == len(invoices) == 4_339
    for customer, made in invoices.items():
        whens = [when for when, _ in made.values()]
        revenue = sum((amount for _, amount in made.values()), Decimal())
        assert bought[f"c{customer}@example.test"] == (len(made), revenue, min(whens), max(whens))


def test_months_carry_every_convention() -> None:
    """REFERENCE.md §5: the sizes of December 2010 and what every row counts."""
    months = CustomerMonth.objects.all()
    assert months.values("customer").distinct().count() == 4_372
    for name, december, customers in (("all", 948, 4_372), ("kept", 885, 4_339), ("paid", 885, 4_338)):
        cohorts = months.exclude(**{f"cohort_{name}": None})
        assert cohorts.values("customer").distinct().count() == customers
        first = cohorts.filter(**{f"cohort_{name}": "2010-12-01", "month": "2010-12-01"})
        assert first.count() == december
    totals = months.aggregate(kept=Sum("revenue_kept"), orders=Sum("orders_kept"))
    assert totals["kept"] == CustomerFacts.objects.aggregate(total=Sum("revenue"))["total"]
    assert totals["orders"] == CustomerFacts.objects.aggregate(total=Sum("orders"))["total"]
