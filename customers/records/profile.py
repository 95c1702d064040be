"""Everything about one customer that their page shows at once: a fixed number of queries, however much there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from customers.custom import values
from customers.custom.definitions import every
from customers.models import Consent, Customer, CustomerFacts, Order, OrderLine

ORDERS = 10
LINES = 20


@dataclass(frozen=True)
class Profile:
    """`facts` is None for a customer too new to have any.

    `custom` is what is known of custom fields; `loose` what files brought under names nobody defined.
    """

    customer: Customer
    facts: CustomerFacts | None
    consents: Sequence[Consent]
    custom: Sequence[values.Told]
    loose: dict[str, Any]


def profile(pk: int, currency: str) -> Profile:
    """Raises Customer.DoesNotExist."""
    customer = Customer.objects.select_related("owner", "team", "facts").get(pk=pk)
    fields = every() if customer.attributes else []  # there is nothing to tell of them
    shown = [field for field in fields if not field.archived_at]
    return Profile(
        customer=customer,
        facts=getattr(customer, "facts", None),
        consents=list(customer.consents.order_by("channel")),
        custom=values.told(shown, customer.attributes, currency),
        loose=values.loose((field.key for field in fields), customer.attributes),
    )


def latest_orders(customer: Customer) -> list[Order]:
    """With the first of their lines, as `first_lines`. Two queries."""
    orders = list(customer.orders.order_by("-ordered_at", "-pk")[:ORDERS])
    # The first lines of each order: one with thousands must not fill the page.
    lines = Prefetch("lines", OrderLine.objects.order_by("position")[:LINES], to_attr="first_lines")
    prefetch_related_objects(orders, lines)
    return orders
