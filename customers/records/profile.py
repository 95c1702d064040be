"""Everything about one customer that their page shows at once: a fixed number of queries, however much there is."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, prefetch_related_objects

from customers.models import Consent, Customer, CustomerFacts, Order, OrderLine, Task

ORDERS = 10
LINES = 20
MOST = 50


@dataclass(frozen=True)
class Profile:
    """`facts` is None for a customer too new to have any; `orders` are the latest, with their lines."""

    customer: Customer
    facts: CustomerFacts | None
    consents: Sequence[Consent]
    tasks: Sequence[Task]
    orders: Sequence[Order]


def profile(pk: int) -> Profile:
    """Raises Customer.DoesNotExist."""
    customer = Customer.objects.select_related("owner", "facts").get(pk=pk)
    return Profile(
        customer=customer,
        facts=getattr(customer, "facts", None),
        consents=list(customer.consents.order_by("channel")),
        tasks=list(customer.tasks.filter(state=Task.State.OPEN).select_related("assignee")[:MOST]),
        orders=_latest_orders(customer),
    )


def _latest_orders(customer: Customer) -> list[Order]:
    orders = list(customer.orders.order_by("-ordered_at", "-pk")[:ORDERS])
    # The first lines of each order: one with thousands must not fill the page.
    lines = Prefetch("lines", OrderLine.objects.order_by("position")[:LINES], to_attr="first_lines")
    prefetch_related_objects(orders, lines)
    return orders
