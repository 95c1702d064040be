"""Playbooks and customers to go through them with."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from customers.models import Customer, CustomerFacts, Playbook, PlaybookStep
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.customers.conftest import at

__all__ = ["at"]

MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
At = Callable[[datetime], None]
Make = Callable[..., Playbook]


@pytest.fixture
def monday(at: At) -> None:
    """It is a Monday: on other days steps would move to one."""
    at(MONDAY)


@pytest.fixture
def anna(db: None) -> User:
    """The person whom `signed_in("account_manager")` is."""
    return User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")


@pytest.fixture
def customers(anna: User) -> list[Customer]:
    made = Customer.objects.bulk_create(
        Customer(external_id=f"c{number}", name=f"C{number}", owner=anna) for number in range(3)
    )
    CustomerFacts.objects.bulk_create(CustomerFacts(customer=customer) for customer in made)
    return made


@pytest.fixture
def playbook(db: None) -> Make:
    """Makes a playbook that is on, with a step for each of `days`: "Step 1", "Step 2" …"""

    def one(*days: int, name: str = "Onboarding", **more: Any) -> Playbook:
        made = Playbook.objects.create(name=name, **({"on_since": clock.now()} | more))
        PlaybookStep.objects.bulk_create(
            PlaybookStep(playbook=made, position=place, offset_days=offset, title=f"Step {place}")
            for place, offset in enumerate(days, 1)
        )
        return made

    return one
