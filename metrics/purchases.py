"""What customers bought: repeat purchase and revenue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Max, Q, Sum
from django.db.models.expressions import Combinable

from customers.models import CustomerFacts, Order
from metrics import definitions
from metrics.activity import KEPT
from metrics.definitions import Definition
from metrics.figures import Figure
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies
from metrics.windows import Window

KNOWN = Q(customer_id__isnull=False)
MATURE_AFTER = timedelta(days=90)


def _in(window: Window) -> Q:
    return Q(ordered_at__gte=window.start, ordered_at__lt=window.end)


class Purchases(Source):
    """One row per customer who ordered, and one for orders without a customer, with counts and amounts per window."""

    definitions = (definitions.REPEAT_RATE, definitions.REVENUE)
    parts = {
        "again": Part("Two orders or more", lambda i: KNOWN & Q(**{f"orders_{i}__gte": 2})),
        "buyers": Part("One order or more", lambda i: KNOWN & Q(**{f"orders_{i}__gte": 1})),
        "spent": Part("Orders", lambda i: KNOWN & Q(**{f"orders_{i}__gte": 1}), lambda i: f"revenue_{i}"),
        "cancelled": Part(
            "Cancelled and refunded orders", lambda i: KNOWN & Q(**{f"dropped_{i}__gte": 1}), lambda i: f"lost_{i}"
        ),
        "cancelled_only": Part(
            "No order but cancelled or refunded ones",
            lambda i: KNOWN & Q(**{f"dropped_{i}__gte": 1, f"orders_{i}": 0}),
        ),
        "foreign": Part("Orders in other currencies", lambda i: KNOWN & Q(**{f"foreign_{i}__gte": 1})),
        "unknown": Part("Orders without a customer", lambda _: ~KNOWN, lambda i: f"revenue_{i}"),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        orders = Order.objects.filter(ordered_at__gte=windows[0].start, ordered_at__lt=windows[-1].end)
        members = scope.members()
        if members is not None:
            orders = orders.filter(customer_id__in=members)
        columns: dict[str, Any] = {}
        for i, window in enumerate(windows):
            columns |= _columns(i, _in(window), Q(currency=scope.currency))
        return orders.values("customer_id").annotate(**columns)

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        buyers = tallies["buyers"]
        if definition is definitions.REPEAT_RATE:
            return self.told_share(definition, scope, tallies["again"], buyers, excluded=(tallies["cancelled_only"],))
        excluded = tuple(tallies[key] for key in ("cancelled", "foreign", "unknown"))
        spent = tallies["spent"]
        value = spent.amount if spent.customers else None
        return self.told(definition, scope, value=value, numerator=spent, excluded=excluded)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers)
        columns = (
            Column("orders_0", "Orders", "number"),
            Column("revenue_0", "Revenue", "money"),
            Column("dropped_0", "Cancelled or refunded", "number"),
            Column("last", "Last order", "day"),
        )
        return columns, rows.annotate(last=Max("ordered_at", filter=KEPT))


def _columns(i: int, here: Q, own_currency: Q) -> dict[str, Any]:
    return {
        f"orders_{i}": Count("pk", filter=here & KEPT),
        f"revenue_{i}": Sum("net", filter=here & KEPT & own_currency, default=0),
        f"dropped_{i}": Count("pk", filter=here & ~KEPT),
        f"lost_{i}": Sum("amount", filter=here & ~KEPT & own_currency, default=0),
        f"foreign_{i}": Count("pk", filter=here & KEPT & ~own_currency),
    }


class SecondOrders(Source):
    """One row per first-time buyer: whether their first 90 days ended in each window, and their orders in these."""

    definitions = (definitions.SECOND_ORDER_RATE,)
    parts = {
        "ordered_again": Part(
            "Ordered again within 90 days", lambda i: Q(**{f"matured_{i}": True, "early_orders__gte": 2})
        ),
        "seen_90_days": Part("First-time buyers seen for 90 days", lambda i: Q(**{f"matured_{i}": True})),
        "too_new": Part("First-time buyers whose 90 days are not over", lambda i: Q(**{f"too_new_{i}": True})),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        first, last = windows[0].start - MATURE_AFTER, windows[-1].end
        buyers = CustomerFacts.objects.filter(first_order_at__gte=first, first_order_at__lt=last)
        members = scope.members()
        if members is not None:
            buyers = buyers.filter(customer_id__in=members)
        flags: dict[str, Any] = {}
        for i, window in enumerate(windows):
            flags[f"matured_{i}"] = _first_order_between(window.start - MATURE_AFTER, window.end - MATURE_AFTER)
            flags[f"too_new_{i}"] = _first_order_between(window.end - MATURE_AFTER, window.end)
        early = Q(
            customer__orders__state=Order.State.COMPLETED,
            customer__orders__ordered_at__lte=F("first_order_at") + MATURE_AFTER,
        )
        rows: Rows = buyers.annotate(early_orders=Count("customer__orders", filter=early), **flags).values(
            "customer_id", "early_orders", *flags
        )
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        again, seen, too_new = (tallies[key] for key in self.parts)
        return self.told_share(definition, scope, again, seen, excluded=(too_new,))

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers).values("customer_id", "early_orders")
        columns = (
            Column("first", "First order", "day"),
            Column("early_orders", "Orders in the first 90 days", "number"),
        )
        return columns, rows.annotate(first=F("first_order_at"))


def _first_order_between(start: datetime, end: datetime) -> Combinable:
    return ExpressionWrapper(Q(first_order_at__gte=start, first_order_at__lt=end), output_field=BooleanField())
