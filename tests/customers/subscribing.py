"""Subscriptions written down in one line."""

from datetime import datetime
from itertools import count
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from customers.models import Customer, Subscription, SubscriptionTerm

_numbers = count(1)
OF_THE_CONTRACT = ("external_id", "renews_at", "notice_days", "auto_renews", "cancelled_at", "cancel_reason")


def subscription(
    who: Customer, start: datetime | None = None, end: datetime | None = None, **given: Any
) -> Subscription:
    """A subscription of one term, 10 EUR a month if nothing else is said; without a start it has no term yet."""
    own = {name: given.pop(name) for name in OF_THE_CONTRACT if name in given}
    made = Subscription.objects.create(customer=who, **{"external_id": f"s-{next(_numbers)}", **own})
    if start is not None:
        term(made, start, end, **given)
    return made


def spans() -> QuerySet[Any]:
    """Subscriptions, each with `started_at`, and `ended_at`: None where its last term is open."""
    terms = SubscriptionTerm.objects.filter(subscription=OuterRef("pk"))
    return Subscription.objects.annotate(
        started_at=Subquery(terms.order_by("valid_from").values("valid_from")[:1]),
        ended_at=Subquery(terms.order_by("-valid_from").values("valid_to")[:1]),
    )


def term(of: Subscription, start: datetime, end: datetime | None = None, **given: Any) -> SubscriptionTerm:
    values = {"plan": "Basic", "amount": 10, "currency": "EUR", **given}
    return SubscriptionTerm.objects.create(
        subscription=of, customer_id=of.customer_id, valid_from=start, valid_to=end, **values
    )
