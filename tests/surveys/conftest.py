"""A survey, customers with and without an owner, and one invitation."""

import pytest

from customers.models import Customer
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from surveys.invitations import invite
from surveys.models import Invitation, Survey


@pytest.fixture
def survey(db: None) -> Survey:
    return Survey.objects.create(
        name="Spring", question="How likely are you to recommend us?", follow_up="Why?", thanks="That helps us a lot."
    )


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("anna@example.test", role=Role.ACCOUNT_MANAGER)


@pytest.fixture
def customer(owner: User) -> Customer:
    return Customer.objects.create(external_id="c1", name="Boreal Bakery", owner=owner)


@pytest.fixture
def invitation(survey: Survey, customer: Customer) -> Invitation:
    return invite(survey, [customer.pk], ["message:1"], clock.now())["message:1"]
