"""Customers with facts, and whose they are."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer, CustomerFacts, Interval, Stage
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.customers.subscribing import subscription

MakeCustomer = Callable[..., Customer]


@pytest.fixture
def manager(db: None) -> User:
    """The person whom `signed_in("account_manager")` is."""
    return User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")


@pytest.fixture
def make(db: None) -> MakeCustomer:
    """Makes a customer with facts; `renews_in` days gives them a yearly contract as well."""

    def one(name: str, owner: User | None = None, renews_in: int | None = None, **facts: Any) -> Customer:
        customer = Customer.objects.create(external_id=name, name=name, owner=owner, email=f"{name}@example.test")
        if renews_in is not None:
            facts["renews_at"] = clock.now() + timedelta(days=renews_in)
            facts.setdefault("mrr", Decimal(10))
            subscription(
                customer,
                clock.now() - timedelta(days=300),
                amount=120,
                interval=facts.pop("interval", Interval.YEAR),
                renews_at=facts["renews_at"],
            )
        if facts.get("stage") == Stage.AT_RISK:
            facts.setdefault("stage_since", clock.now() - timedelta(days=5))
        CustomerFacts.objects.create(customer=customer, **facts)
        return customer

    return one
