"""A large file that comes again: nothing is compared where nothing can have changed, and all of it where it can."""

from collections.abc import Callable
from decimal import Decimal
from unittest import mock

import pytest
from django.utils import timezone

from customers.ingest import staging, unchanged
from customers.models import Consent, Customer, Import, Order, OrderLine
from tests.customers.ingest.bringing import LINES, again, bring, mapping

pytestmark = pytest.mark.django_db(transaction=True)
FILE = "order_id,customer_id,ordered_at,sku,quantity,unit_price\n" + "".join(
    f"A{order},{order % 3},2024-05-01,x,1,2\n" for order in range(9)
)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Import:
    monkeypatch.setattr(unchanged, "LARGE", 5)
    monkeypatch.setattr(unchanged, "WORTH", 10**9)
    job, taken = bring(mapping(LINES), FILE)
    assert job.state == "done", job.error
    return taken


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Whether a file was read and compared since the last question."""
    staged = mock.Mock(side_effect=staging.stage)
    monkeypatch.setattr(staging, "stage", staged)

    def asked() -> bool:
        found: bool = staged.called
        staged.reset_mock()
        return found

    return asked


def test_it_works(taken: Import, compared: Callable[[], bool]) -> None:
    alone()
    summary = again(taken).summary
    assert not compared()
    for noun, count in (("customers", 3), ("orders", 9), ("lines", 9)):
        assert summary[noun] == {"named": count, "created": 0, "updated": 0, "removed": 0, "unchanged": count}
    assert (summary["rows"], summary["taken"], summary["rejected"]) == (9, 9, 0)
    other, _ = bring(mapping(LINES), FILE)
    assert (other.summary["lines"], compared()) == (summary["lines"], False)


def alone() -> None:
    """Let the marks say that no other transaction was open, which those of other databases of the cluster may be."""
    for imported in Import.objects.exclude(mark={}):
        Import.objects.filter(pk=imported.pk).update(mark={**imported.mark, "horizon": imported.mark["own"]})


CHANGES: dict[str, Callable[[], object]] = {
    "a line gone": lambda: OrderLine.objects.filter(order__external_id="A1").delete(),
    "a line changed": lambda: OrderLine.objects.filter(order__external_id="A1").update(sku="y"),
    "an order changed": lambda: Order.objects.filter(external_id="A1").update(amount=9),
    "a customer made": lambda: Customer.objects.create(external_id="9"),
    "a customer's field": lambda: Customer.objects.filter(external_id="1").update(name="Ann"),
    "a consent": lambda: Consent.objects.create(
        customer=Customer.objects.earliest("id"), channel="email", state="granted", changed_at=timezone.now()
    ),
}


def test_whatever_was_written_since_has_all_of_it_compared(taken: Import, compared: Callable[[], bool]) -> None:
    for said, change in CHANGES.items():
        change()
        again(taken)
        assert compared(), said
        order = Order.objects.get(external_id="A1")
        assert (order.amount, order.lines.get().sku) == (Decimal(2), "x"), said
        alone()
        again(taken)
        assert not compared(), said
    bring(mapping(LINES, dates="dmy"), FILE)
    assert compared()
    taken.refresh_from_db()
    Import.objects.filter(pk=taken.pk).update(mark={**taken.mark, "cluster": "another"})
    again(taken)
    assert compared()


def test_a_mark_that_forgets_the_lines_is_found_out(taken: Import, compared: Callable[[], bool]) -> None:
    """The bug that the test above is there for: planted, a changed line stays as somebody left it."""
    alone()
    taken.refresh_from_db()
    Import.objects.update(mark={**taken.mark, "stood": {"customers_order": taken.mark["stood"]["customers_order"]}})
    CHANGES["a line changed"]()
    again(taken)
    assert not compared()
    assert OrderLine.objects.filter(sku="y").exists()
