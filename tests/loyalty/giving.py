"""Offers made in one line."""

import uuid
from decimal import Decimal
from typing import Any

from customers.models import Customer, CustomerFacts
from loyalty.authorising import authority_of
from loyalty.costing import Terms
from loyalty.granting import Agreed, Wish, make, weighed_for
from loyalty.models import Authority, Kind, Offer
from retention.workspace.models import User
from retention.workspace.roles import Role


def somebody(name: str, role: Role = Role.ACCOUNT_MANAGER) -> User:
    return User.objects.create_user(f"{name}@example.test", role=role, first_name=name.title())


def paying(name: str = "Boreal", mrr: int = 100, **facts: Any) -> Customer:
    """A customer with so much MRR."""
    made = Customer.objects.create(external_id=name, name=name)
    CustomerFacts.objects.create(customer=made, mrr=Decimal(mrr), **facts)
    return made


def limits(user: User | None = None, **most: Any) -> Authority:
    """Limits of account managers, or of one person; what is not named is without limit."""
    whose = {"person": user} if user else {"role": Role.ACCOUNT_MANAGER}
    return Authority.objects.create(**whose, **most)


def credit(amount: int | str) -> Terms:
    return Terms(Kind.CREDIT, amount=Decimal(amount))


def offer(customer: Customer, by: User, terms: Terms, *, once: uuid.UUID | None = None, reason: str = "price") -> Offer:
    """What comes of pressing the button after looking at what it says."""
    agreed = Agreed.to(weighed_for(by, authority_of(by), customer.pk, terms))
    return make(Wish(customer.pk, terms, reason, "", once or uuid.uuid4()), by, agreed)
