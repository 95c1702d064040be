"""What a customer has bought, by product, and what would go with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Max, Q, QuerySet, Sum

from customers.models import Order, OrderLine, Product

#: How many products a page of its own shows, and a part of the customer's page.
MOST, FEW = 100, 6


@dataclass(frozen=True)
class Bought:
    """A product that a customer has bought; `product` is None where the catalogue has none of that code."""

    sku: str
    words: str
    product: Product | None
    pieces: Decimal
    spent: Decimal
    currency: str
    last_at: datetime


def bought(customer_id: int, most: int = MOST) -> list[Bought]:
    """What was bought most of, by what was spent; cancelled and refunded orders count for nothing. Two queries."""
    lines = OrderLine.objects.filter(order__customer=customer_id, order__state=Order.State.COMPLETED).exclude(sku="")
    rows = (
        lines.values("sku", currency=F("order__currency"))
        .annotate(
            words=Max("description"),
            pieces=Sum("quantity"),
            spent=Sum(F("quantity") * F("unit_price")),
            last_at=Max("order__ordered_at"),
        )
        .order_by("-spent", "sku")[:most]
    )
    found = list(rows)
    products = {each.sku: each for each in Product.objects.filter(sku__in={row["sku"] for row in found})}
    return [Bought(product=products.get(row["sku"]), **row) for row in found]


def companions(lines: Sequence[Bought]) -> QuerySet[Product]:
    """Products that go with what was bought, or that it upgrades to, and that are not among it."""
    own = [line.product.pk for line in lines if line.product]
    related = Q(goes_with__in=own) | Q(upgrades_from__in=own)
    return Product.objects.filter(related).exclude(sku__in=[line.sku for line in lines]).distinct().order_by("name")
