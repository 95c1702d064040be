"""Renewals: what the account managers expect of some of those that come up, and why."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from customers.models import RenewalForecast, SubscriptionTerm
from customers.renewals.due import Span, renewals
from retention.demo import writing
from retention.workspace.models import Workspace

SAID = (
    ("committed", "Signed for another year on the phone; the papers follow."),
    ("committed", "They have ordered a second machine on the same plan."),
    ("likely", "They want to talk about the price first."),
    ("likely", "The new head of purchasing has to agree."),
    ("at_risk", "A competitor has been in with a cheaper offer."),
    ("at_risk", "They close a branch in spring and may need less."),
)
EVERY = 3


def write(rng: Random, now: datetime) -> None:
    coming = renewals(Span(now, Workspace.current().zone)).filter(
        customer__owner__isnull=False, subscription__cancelled_at=None
    )
    terms = coming.select_related("subscription", "customer").order_by("due_at", "pk")[::EVERY]
    RenewalForecast.objects.bulk_create(_said(rng, now, terms))
    writing.tell(_FORECAST)


def _said(rng: Random, now: datetime, terms: Iterable[SubscriptionTerm]) -> Iterator[RenewalForecast]:
    for term in terms:
        forecast, note = rng.choice(SAID)
        renews_at = term.subscription.renews_at
        assert renews_at is not None  # noqa: S101
        yield RenewalForecast(
            subscription=term.subscription,
            renews_at=renews_at,
            forecast=forecast,
            note=note,
            set_by_id=term.customer.owner_id,
            updated_at=now - timedelta(days=rng.uniform(1, 20)),
        )


# As customers/renewals/expecting.py tells them.
_FORECAST = """
    SELECT contract.customer_id, 'renewal.forecast', said.updated_at, said.updated_at, 'demo',
           'subscription:' || contract.id,
           jsonb_build_object('subscription', contract.id, 'plan', term.plan, 'why', said.note,
               'until', to_char(said.renews_at, 'FMDD Mon YYYY'), 'said', replace(said.forecast, '_', ' '),
               'by', trim(first_name || ' ' || last_name)),
           'forecast:' || contract.id, said.updated_at
      FROM customers_renewalforecast AS said
      JOIN customers_subscription AS contract ON contract.id = said.subscription_id
      JOIN workspace_user AS author ON author.id = said.set_by_id
     CROSS JOIN LATERAL (SELECT plan FROM customers_subscriptionterm WHERE subscription_id = contract.id
                          ORDER BY valid_from DESC LIMIT 1) AS term
"""
