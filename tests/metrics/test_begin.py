"""The pages before there is a company: what to do first, and with customers of one kind only."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.metrics.worlds import customer, instant

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


def test_an_empty_workspace_is_told_what_to_do_first(today: None, signed_in: SignIn) -> None:
    client = signed_in("analyst")
    assert "No figures in this window" in page(client, "/metrics/")
    assert "No cohorts in these months" in page(client, "/metrics/cohorts/")
    assert "Nobody answered in this window" in page(client, "/metrics/nps/")
    assert "no data" in page(client, "/metrics/receipt/retention_rate/")


def test_long_lists_are_paged(today: None, signed_in: SignIn) -> None:
    for i in range(120):
        who = customer(f"Buyer {i:03}")
        who.orders.create(external_id=f"p{i}", ordered_at=instant("2026-05-10"), amount=5, currency="EUR")
    first = signed_in("analyst").get("/metrics/receipt/active_customers/")
    third = signed_in("analyst").get("/metrics/receipt/active_customers/?page=3")
    assert [len(page.context["lines"]) for page in (first, third)] == [50, 20]
    assert third.context["lines"][-1].customer.name == "Buyer 119"
