"""Rows that name a customer by an id of before a merge are about whoever they were merged into."""

from typing import Any

from django.db.models import Max

from customers.ingest.statements import number, run
from customers.models import Merge
from customers.models.imports import ImportKind


def merges() -> dict[str, Any]:
    """By which it shows that there was another merge, or another was undone."""
    return Merge.objects.aggregate(Max("pk"), Max("undone_at"))


def follow(kind: str) -> None:
    """Put the ids of today into the staged rows.

    A file of customers that has that one too says it best itself: the line with the old id is refused.
    """
    merged = number("SELECT count(*) FROM (SELECT FROM customers_formerid LIMIT 1) AS one")
    if kind == ImportKind.PRODUCTS or not merged:
        return
    if kind == ImportKind.CUSTOMERS:
        run(_OWN_LINE_FIRST)
    run(_OF_TODAY)


_OF_TODAY = """
    UPDATE import_rows SET customer_id = customer.external_id
    FROM customers_formerid AS former JOIN customers_customer AS customer ON customer.id = former.customer_id
    WHERE import_rows.customer_id = former.external_id AND import_rows.refusal IS NULL
"""
_OWN_LINE_FIRST = """
    UPDATE import_rows SET refusal = concat('Customer “', former.external_id, '” was merged into “',
        customer.external_id, '”, who is in line ', own.line, '; that line stands.')
    FROM customers_formerid AS former JOIN customers_customer AS customer ON customer.id = former.customer_id
    JOIN import_rows AS own ON own.customer_id = customer.external_id AND own.refusal IS NULL
    WHERE import_rows.customer_id = former.external_id AND import_rows.refusal IS NULL
"""
