"""Marking customers whose facts must be folded again for a reason that is no event: an edit, a changed setting.

The router takes the marks up with its next batch, once the transaction that set them has committed.
"""

from collections.abc import Iterable

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from customers.models import Customer, Dirty


def mark(customer_ids: Iterable[int]) -> None:
    """Mark these customers. Ids that are no customer's any more are passed over."""
    mark_where(Customer.objects.filter(pk__in=list(customer_ids)))


def mark_where(customers: QuerySet[Customer]) -> None:
    """Mark every customer of a queryset, in one statement and without reading them here."""
    try:
        query, params = customers.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return  # the queryset can be seen to be empty
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {Dirty._meta.db_table} (customer_id) {query}", params)


def mark_unfolded() -> None:
    """Mark the customers who have no facts yet, however they came in."""
    mark_where(Customer.objects.filter(facts__isnull=True))
