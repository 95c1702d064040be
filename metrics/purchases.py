"""What customers bought: repeat purchase and revenue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Max, Q, Sum
from django.db.models.expressions import Combinable

from customers.models import CustomerFacts, Order
from metrics import definitions
from metrics.activity import KEPT
from metrics.definition import Definition
from metrics.figures import Figure
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies, period
from metrics.windows import Window

KNOWN = Q(customer_id__isnull=False)
MATURE_AFTER = timedelta(days=90)


def _ordered(i: int) -> Q:
    return KNOWN & Q(period=i, orders__gte=1)


def _dropped(i: int) -> Q:
    return KNOWN & Q(period=i, dropped__gte=1)


class Purchases(Source):
    """One row per window and customer who ordered in it, and per window one for orders without a customer."""

    definitions = (definitions.REPEAT_RATE, definitions.REVENUE)
    parts = {
        "again": Part("Two orders or more", lambda i: KNOWN & Q(period=i, orders__gte=2)),
        "buyers": Part("One order or more", _ordered),
        "spent": Part("Orders", _ordered, lambda _: "revenue"),
        "cancelled": Part("Cancelled and refunded orders", _dropped, lambda _: "lost"),
        "cancelled_only": Part("No order but cancelled or refunded ones", lambda i: _dropped(i) & Q(orders=0)),
        "foreign": Part("Orders in other currencies", lambda i: KNOWN & Q(period=i, foreign__gte=1)),
        "unknown": Part("Orders without a customer", lambda i: ~KNOWN & Q(period=i), lambda _: "revenue"),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        orders = Order.objects.filter(ordered_at__gte=windows[0].start, ordered_at__lt=scope.end_of(windows[-1]))
        members = scope.members()
        if members is not None:
            orders = orders.filter(customer_id__in=members)
        own = Q(currency=scope.currency)
        rows: Rows = (
            orders.annotate(period=period("ordered_at", windows))
            .values("customer_id", "period")
            .annotate(
                orders=Count("pk", filter=KEPT),
                revenue=Sum("net", filter=KEPT & own, default=Decimal(0)),
                dropped=Count("pk", filter=~KEPT),
                lost=Sum("amount", filter=~KEPT & own, default=Decimal(0)),
                foreign=Count("pk", filter=KEPT & ~own),
            )
        )
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        if definition is definitions.REPEAT_RATE:
            only = (tallies["cancelled_only"],)
            note = scope.unfinished
            return self.told_share(definition, scope, tallies["again"], tallies["buyers"], excluded=only, note=note)
        spent = tallies["spent"]
        value = spent.amount if spent.customers else None
        excluded = tuple(tallies[key] for key in ("cancelled", "foreign", "unknown"))
        return self.told(definition, scope, value=value, numerator=spent, excluded=excluded, note=scope.unfinished)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers)
        columns = (
            Column("orders", "Orders", "number"),
            Column("revenue", "Revenue", "money"),
            Column("dropped", "Cancelled or refunded", "number"),
            Column("lost", "Amount of these", "money"),
            Column("foreign", "In other currencies", "number"),
            Column("last", "Last order", "day"),
        )
        return columns, rows.annotate(last=Max("ordered_at", filter=KEPT))


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
            end = scope.end_of(window)
            flags[f"matured_{i}"] = _first_order_between(window.start - MATURE_AFTER, end - MATURE_AFTER)
            flags[f"too_new_{i}"] = _first_order_between(end - MATURE_AFTER, end)
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
        return self.told_share(definition, scope, again, seen, excluded=(too_new,), note=scope.unfinished)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers).values("customer_id", "early_orders")
        columns = (
            Column("first", "First order", "day"),
            Column("early_orders", "Orders in the first 90 days", "number"),
        )
        return columns, rows.annotate(first=F("first_order_at"))


def _first_order_between(start: datetime, end: datetime) -> Combinable:
    return ExpressionWrapper(Q(first_order_at__gte=start, first_order_at__lt=end), output_field=BooleanField())
