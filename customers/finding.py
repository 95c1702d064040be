"""What the search over everything finds of this room: customers, orders, segments."""

from django.urls import reverse

from customers.models import Contact, Customer, Order, Product, Segment
from customers.records.filters import Filters, matching
from retention.common.text_search import SearchWords, beginnings
from retention.workspace.finding import MOST, Find, finder
from retention.workspace.models import User
from retention.workspace.places import page_of


def _list_of(typed: str) -> str:
    return f"{reverse('customers:list')}?{Filters(q=typed).query()}"


@finder("Customers", 1, _list_of)
def customers(typed: str, _person: User) -> list[Find]:
    found = matching(Filters(q=typed))[: MOST + 1]
    return [Find(str(row), _detail(row), page_of("customers:detail", row.pk)) for row in found]


def _detail(row: Customer) -> str:
    return next((text for text in (row.email, row.external_id) if text and text != str(row)), "")


@finder("Contacts", 2)
def contacts(typed: str, _person: User) -> list[Find]:
    """By the beginnings of words of their name, address or phone; a contact leads to their customer."""
    query = beginnings(typed)
    if query is None:
        return []
    words = SearchWords("name", "email", "phone")
    found = Contact.objects.alias(words=words).filter(words=query, removed_at=None).select_related("customer")
    return [Find(str(row), _where(row), page_of("customers:detail", row.customer_id)) for row in found[:MOST]]


def _where(row: Contact) -> str:
    return ", ".join(filter(None, [row.role, str(row.customer)]))


@finder("Orders", 4)
def orders(typed: str, _person: User) -> list[Find]:
    """By the beginning of their id; an order leads to its customer."""
    found = Order.objects.filter(external_id__startswith=typed, customer__isnull=False).select_related("customer")
    return [
        Find(row.external_id, str(row.customer), page_of("customers:detail", row.customer.pk))
        for row in found.order_by("external_id")[:MOST]
        if row.customer
    ]


@finder("Products", 5)
def products(typed: str, _person: User) -> list[Find]:
    words = beginnings(typed)
    if not words:
        return []
    found = Product.objects.annotate(words=SearchWords("name", "sku", "category")).filter(words=words)
    return [Find(row.name, row.sku, page_of("customers:product", row.pk)) for row in found.order_by("name")[:MOST]]


@finder("Segments", 2)
def segments(typed: str, _person: User) -> list[Find]:
    found: list[Segment] = list(Segment.objects.filter(name__icontains=typed)[:MOST])
    return [Find(row.name, f"{row.size:,} customers", page_of("customers:segment", row.pk)) for row in found]
