"""An order cannot go while a file brings its lines, which are written without a look-up of the order for each."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection

from customers.ingest import merging_orders, statements
from customers.models import Order, OrderLine
from tests.customers.ingest.bringing import LINES, bring, mapping

pytestmark = pytest.mark.django_db(transaction=True)
FILE = "order_id,customer_id,ordered_at,sku,quantity,unit_price\nA1,,2024-05-01,x,1,2\n"


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What becomes of somebody's attempt to remove the order just before its lines are written."""
    Order.objects.create(external_id="A1", ordered_at=datetime(2024, 5, 1, tzinfo=UTC), amount=2, currency="EUR")
    said: list[str] = []

    def remove() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'; DELETE FROM customers_order")
            said.append("removed")
        except OperationalError:
            said.append("held")
        finally:
            connection.close()

    @contextmanager
    def meanwhile() -> Iterator[None]:
        somebody = threading.Thread(target=remove)
        somebody.start()
        somebody.join()
        with statements.parents_held():
            yield

    monkeypatch.setattr(merging_orders, "parents_held", meanwhile)
    return said


def test_it_works(outcome: list[str]) -> None:
    job, _ = bring(mapping(LINES), FILE)
    assert (job.state, outcome) == ("done", ["held"])
    assert OrderLine.objects.get().order == Order.objects.get()


def test_an_order_that_is_not_held_is_found_out(outcome: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: planted, it leaves lines of an order that is gone."""
    free = merging_orders._GATHER_HOMES.replace("FOR KEY SHARE OF orders", "")
    monkeypatch.setattr(merging_orders, "_GATHER_HOMES", free)
    bring(mapping(LINES), FILE)
    assert outcome == ["removed"]
    assert OrderLine.objects.filter(order__isnull=False).exists()
    assert not Order.objects.exists()
