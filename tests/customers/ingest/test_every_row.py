"""What holds for every file: each row is merged or refused once, and a second time changes nothing."""

import csv
import io

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.ingest.mapping import Mapping, Source, StateRule
from customers.models import Customer, Order, OrderLine
from tests.customers.ingest.bringing import again, bring, refusals, versions

pytestmark = pytest.mark.django_db(transaction=True)

CELL = st.sampled_from(
    ["", "1", "2", "A", "x@y.de", "2024-05-01", "2024-05-02 10:00", "1.5", "yes", "no", " ", "C1", "ü\n", '"']
)
ROWS = st.lists(st.lists(CELL, min_size=6, max_size=6), min_size=1, max_size=12)
CUSTOMERS = Mapping(
    "customers",
    fields={
        "customer_id": Source("a"),
        "name": Source("b"),
        "email": Source("c"),
        "joined_at": Source("d"),
        "consent": Source("e"),
        "tags": Source("f"),
    },
)
ORDERS = Mapping(
    "orders",
    fields={
        "order_id": Source("a"),
        "customer_id": Source("b"),
        "ordered_at": Source("d"),
        "amount": Source("e"),
        "email": Source("c"),
    },
    states=(StateRule("cancelled", "a", "starts with", "C"), StateRule("refunded", "f", "is not empty")),
)
LINES = Mapping(
    "order_lines",
    fields={
        "order_id": Source("a"),
        "customer_id": Source("b"),
        "ordered_at": Source("d"),
        "unit_price": Source("e"),
        "quantity": Source("f"),
        "email": Source("c"),
    },
    states=(StateRule("cancelled", "a", "starts with", "C"),),
)


def as_file(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([list("abcdef"), *rows])
    return text.getvalue()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=st.lists(st.tuples(st.sampled_from([CUSTOMERS, ORDERS, LINES]), ROWS), min_size=1, max_size=3))
def test_it_works(files: list[tuple[Mapping, list[list[str]]]]) -> None:
    with transaction.atomic():
        for how, rows in files:
            job, taken = bring(how, as_file(rows))
            refused = refusals(taken)
            assert len({line for line, *_ in refused}) == len(refused)
            if job.state == job.State.FAILED:
                assert len(refused) == len(rows)
                continue
            assert job.summary["rows"] == len(rows)
            assert job.summary["rejected"] == len(refused)
            _counted(job.summary, len(rows) - len(refused), how.kind)
            before = versions()
            job = again(taken)
            assert versions() == before
            assert refusals(taken) == refused
            assert not any(
                job.summary[what]["created"] for what in ("customers", "orders", "lines") if what in job.summary
            )
        _no_order_contradicts_its_lines()
        transaction.set_rollback(True)


def _counted(summary: dict[str, dict[str, int]], good: int, kind: str) -> None:
    """Good rows are lines of their own, or as many orders or customers as they have ids."""
    if kind == "order_lines":
        assert summary["lines"]["named"] == good
    elif kind == "orders":
        assert 0 < summary["orders"]["named"] <= good
    else:
        assert 0 < summary["customers"]["named"] <= good
    assert Customer.objects.count() >= summary["customers"]["created"]
    assert Order.objects.count() >= summary.get("orders", {}).get("created", 0)


def _no_order_contradicts_its_lines() -> None:
    """Positions run from 1 without a gap."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM"
            " (SELECT 1 FROM customers_orderline GROUP BY order_id HAVING max(position) <> count(*)) AS gaps"
        )
        assert cursor.fetchone() == (0,)
    assert OrderLine.objects.filter(position=0).count() == 0
