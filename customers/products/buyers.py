"""Who bought a product: how often, how much, for how much, and when last."""

from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, Count, DecimalField, F, Max, Q, QuerySet, Sum, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce, Lower, NullIf

from customers.models import Order, OrderLine, Product

ORDERS: Mapping[str, tuple[str, Any]] = {
    "name": ("Customer", Lower("name")),
    "times": ("Orders", F("times")),
    "pieces": ("Pieces", F("pieces")),
    "revenue": ("Revenue", F("revenue")),
    "last": ("Last bought", F("last_at")),
}
MOST_SPENT = "-revenue"
#: Rows of who bought, each a dictionary.
Rows = QuerySet[OrderLine, Any]
_EMPTY = Value("")
_NAME = Coalesce(
    NullIf("order__customer__name", _EMPTY),
    NullIf("order__customer__email", _EMPTY),
    "order__customer__external_id",
    output_field=CharField(),
)
_MONEY = DecimalField(max_digits=32, decimal_places=7)


def buyers(product: Product, currency: str, sort: str = MOST_SPENT) -> Rows:
    """A row for each customer with `customer`, `name`, `times` (orders), `pieces`, `revenue` and `last_at`.

    Completed orders count. `revenue` is what its lines came to in this currency, before anything was given back; other
    currencies are in no sum. `sort` names one of `ORDERS`, with a minus for downwards.
    """
    lines = OrderLine.objects.filter(
        sku=product.sku, order__state=Order.State.COMPLETED, order__customer__isnull=False
    ).order_by()
    rows: Rows = lines.values(customer=F("order__customer"), name=_NAME).annotate(
        times=Count("order", distinct=True),
        pieces=Sum("quantity"),
        revenue=Coalesce(
            Sum(F("quantity") * F("unit_price"), filter=Q(order__currency=currency)), 0, output_field=_MONEY
        ),
        last_at=Max("order__ordered_at"),
    )
    by = ORDERS[sort.removeprefix("-")][1]
    down = sort.startswith("-")
    return rows.order_by(OrderBy(by, descending=down), OrderBy(F("customer"), descending=down))


def together(rows: Rows) -> Mapping[str, Any]:
    """All of them added up; `again` are those who bought it in two orders or more."""
    return rows.order_by().aggregate(
        customers=Count("customer"),
        again=Count("customer", filter=Q(times__gte=2)),
        orders=Sum("times"),
        bought=Sum("pieces"),
        earned=Sum("revenue"),
        latest=Max("last_at"),
    )
