"""The company that the benchmarks are run on is one that the product could have made."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bench import population
from customers.facts import folding
from customers.models import Customer, CustomerFacts, Event
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role

CUSTOMERS = 300
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexdef"
REFERENCES = """
    SELECT format('SELECT count(*) FROM %s t WHERE t.%I IS NOT NULL AND NOT EXISTS'
                  ' (SELECT FROM %s r WHERE r.%I = t.%I)',
                  c.conrelid::regclass, a.attname, c.confrelid::regclass, b.attname, a.attname)
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND c.conrelid::regclass::text LIKE 'customers%'
"""


@pytest.fixture
def company(db: None) -> Iterator[list[Any]]:
    """The company, at its instant; the indexes that were there before it."""
    before = rows(INDEXES)
    with clock.at(NOW):
        population.populate(CUSTOMERS)
        yield before


def rows(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: list[Any] = cursor.fetchall()
    return found


def test_it_holds_what_the_product_holds(company: list[Any]) -> None:
    facts = list(CustomerFacts.objects.order_by("pk").values())
    folding.fold([row["customer_id"] for row in facts])
    assert len(facts) == CUSTOMERS
    assert Event.objects.count() >= 10 * CUSTOMERS
    assert facts == list(CustomerFacts.objects.order_by("pk").values())
    assert rows(INDEXES) == company
    assert [query for (query,) in rows(REFERENCES) if rows(query) != [(0,)]] == []


def test_its_pages_answer(company: list[Any]) -> None:
    client = Client()
    client.force_login(User.objects.filter(role=Role.ACCOUNT_MANAGER)[0])
    busiest = Customer.objects.get(external_id="C00000001")
    lists = ("/orders/", "/customers/people/", "/subscriptions/", "/cases/")
    for url in (
        *lists,
        "/today/",
        "/customers/",
        "/customers/?stage=loyal",
        "/search/?q=ber",
        f"/customers/{busiest.pk}/",
    ):
        assert client.get(url).status_code == 200, url


def test_it_is_not_put_on_top_of_another(company: list[Any]) -> None:
    with pytest.raises(RuntimeError, match="customers in this database already"):
        population.populate(CUSTOMERS)
