"""An account manager, whoever they ask, and a customer who pays 100 EUR a month."""

import pytest

from customers.models import Customer
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.loyalty.giving import paying, somebody


@pytest.fixture
def anna(db: None) -> User:
    """The person whom `signed_in("account_manager")` is."""
    return User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")


@pytest.fixture
def bea(db: None) -> User:
    return somebody("bea")


@pytest.fixture
def boss(db: None) -> User:
    """The person whom `signed_in("administrator")` is."""
    return User.objects.create_user("administrator@example.test", role=Role.ADMINISTRATOR, first_name="Olga")


@pytest.fixture
def boreal(db: None) -> Customer:
    return paying()
