"""Online Retail, imported in full: the figures of the data set's reference, section 5."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Min, Q, Sum
from django.db.models.functions import TruncMonth

from customers.models import Consent, Customer, Event, Order, OrderLine
from retention.workspace.models import Job
from tests.online_retail import bring_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("online_retail")]


def test_it_works() -> None:
    assert Customer.objects.count() == 4_372
    assert Order.objects.count() == 25_900
    assert OrderLine.objects.count() == 541_909
    assert Order.objects.aggregate(total=Sum("amount"))["total"] == Decimal("9747747.934")
    assert Customer.objects.values("country").distinct().count() <= 38
    assert OrderLine.objects.filter(order__customer=None).count() == 135_080


def test_the_first_import_said_what_it_made() -> None:
    """The data were brought into an empty product by the command; this is what it printed."""
    summary = Job.objects.get(kind="import").summary
    created = {what: summary[what]["created"] for what in ("customers", "orders", "lines")}
    assert created == {"customers": 4_372, "orders": 25_900, "lines": 541_909}
    assert (summary["rows"], summary["rejected"]) == (541_909, 0)
    assert Decimal(summary["amounts"]["GBP"]) == Decimal("9747747.934")


def test_ids_and_addresses() -> None:
    first = Customer.objects.get(external_id="17850")
    assert (first.email, first.name, first.country) == ("c17850@example.test", "Customer 17850", "United Kingdom")
    assert Consent.objects.filter(state="granted").count() == 4_372


def test_states_and_events() -> None:
    assert Order.objects.filter(state="cancelled").count() == 3_836
    assert Order.objects.filter(customer=None).count() == 3_710
    assert Event.objects.filter(kind="customer.created").count() == 4_372
    orders = Event.objects.filter(kind__startswith="order.")
    assert orders.count() == 25_900 - 3_710
    assert (
        orders.filter(kind="order.cancelled").count()
        == Order.objects.filter(state="cancelled", customer__isnull=False).count()
    )


@pytest.mark.parametrize(
    ("counted", "customers", "sizes"),
    [
        (Q(), 4_372, [948, 421, 380, 440, 299, 279, 235, 191, 167, 298, 352, 321, 41]),
        (~Q(state="cancelled"), 4_339, [885, 417, 380, 452, 300, 284, 242, 188, 169, 299, 358, 324, 41]),
        (
            ~Q(state="cancelled") & Q(amount__gt=0),
            4_338,
            [885, 417, 380, 452, 300, 284, 242, 188, 169, 299, 358, 323, 41],
        ),
    ],
    ids=["A", "B", "C"],
)
def test_cohorts_of_first_orders(counted: Q, customers: int, sizes: list[int]) -> None:
    firsts = (
        Order.objects.filter(counted, customer__isnull=False)
        .values("customer")
        .annotate(first=TruncMonth(Min("ordered_at")))
        .values_list("first", flat=True)
    )
    months = sorted(firsts)
    assert len(months) == customers
    assert [months.count(month) for month in sorted(set(months))] == sizes


def fingerprint() -> dict[str, tuple[int, int]]:
    """How many rows each table has, and a sum over where they lie and who wrote them."""
    found = {}
    with connection.cursor() as cursor:
        for table in ("customer", "consent", "order", "orderline", "event", "dirty"):
            cursor.execute(
                f"SELECT count(*), coalesce(sum(hashtextextended(concat(ctid, xmin, xmax), 0)::numeric), 0)"
                f" FROM customers_{table}"
            )
            found[table] = cursor.fetchone()
    return found


def test_the_same_file_again_by_the_command_changes_nothing(shared: Path) -> None:
    before = fingerprint()
    summary = bring_in(shared / "online_retail" / "online_retail.csv.gz", "online_retail")
    assert summary["rows"] == 541_909
    assert summary["rejected"] == 0
    assert {what: summary[what]["unchanged"] for what in ("customers", "orders", "lines")} == {
        "customers": 4_372,
        "orders": 25_900,
        "lines": 541_909,
    }
    assert fingerprint() == before
