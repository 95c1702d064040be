"""Save offers: made to subscribers who went quiet, each by whoever looks after them; one waits for the administrator.

Nothing is planted: who got an offer lives on as they would have without. What the page of outcomes then shows is what
comes of being at risk, which is why it claims nothing.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from customers.events.recording import Happening, record
from customers.models import Customer, Stage
from loyalty.costing import Terms, cost_of
from loyalty.granting import Wish, ask, drafted, grant
from loyalty.models import Authority, Kind, Offer, Policy, Reason
from loyalty.spending import Period, Spent
from loyalty.telling import happening
from loyalty.weighing import Ground, Weighed, weigh
from retention.common import clock
from retention.workspace.demo_people import demo_person
from retention.workspace.models import Workspace
from retention.workspace.roles import Role

A_TIME, USED = 4, 0.8
CHOICES = (
    (Terms(Kind.DISCOUNT, percent=Decimal(10), months=3), Reason.PRICE),
    (Terms(Kind.DISCOUNT, percent=Decimal(20), months=2), Reason.COMPETITOR),
    (Terms(Kind.TRAINING, sessions=1), Reason.UNUSED),
    (Terms(Kind.FREE_MONTHS, months=1), Reason.SERVICE),
    (Terms(Kind.CREDIT, amount=Decimal(40)), Reason.SERVICE),
)
ABOVE = Terms(Kind.DISCOUNT, percent=Decimal(35), months=6)
NOTE = "They have a cheaper quote on the table and want an answer this week."


def givers(rng: Random) -> "Givers":
    """The account managers, with what each may give alone; Robin Vale is asked for more."""
    limits, _ = Authority.objects.update_or_create(
        role=Role.ACCOUNT_MANAGER,
        defaults={
            "discount_most": Decimal(20),
            "credit_most": Decimal(100),
            "free_months_most": 1,
            "upgrade_most": 3,
            "training_most": 1,
            "offer_most": Decimal(400),
            "customer_year_most": Decimal(600),
            "month_most": Decimal(1500),
            "margin_floor": Decimal(20),
            "approver": demo_person(Role.ADMINISTRATOR),
        },
    )
    return Givers(rng, limits, Workspace.current(), Policy.current())


@dataclass
class Givers:
    """What they may give, what each has given in a month, and the offers made, written down at the end."""

    rng: Random
    limits: Authority
    workspace: Workspace
    policy: Policy
    made: list[Offer] = field(default_factory=list)
    spent: dict[tuple[int, date], Decimal] = field(default_factory=dict)

    def look_after(self) -> None:
        """As of the clock's day: some who are at risk are made an offer within the limits, and most use it."""
        for customer in self._at_risk(A_TIME):
            terms, reason = self.rng.choice(CHOICES)
            offer, weighed, period = self._weighed(customer, terms, reason)
            if weighed.over:
                continue
            grant(offer, offer.asked_by, weighed, period, offer.asked_at)
            offer.used_at = offer.asked_at if self.rng.random() < USED else None
            self.spent[offer.asked_by_id, period.month] = offer.cost + self._given(offer.asked_by_id, period)
            self.made.append(offer)

    def ask(self) -> None:
        """One offer above the limits of whoever looks after the customer: it waits."""
        for customer in self._at_risk(1):
            offer, weighed, _ = self._weighed(customer, ABOVE, Reason.COMPETITOR)
            offer.note = NOTE
            ask(offer, self.limits, weighed, timedelta(days=self.policy.days_to_answer))
            self.made.append(offer)

    def write(self) -> None:
        Offer.objects.bulk_create(self.made)
        record(told for offer in self.made for told in _told(offer))

    def _at_risk(self, number: int) -> list[Customer]:
        """Subscribers who went quiet, have somebody who looks after them and never had an offer."""
        had = {offer.customer_id for offer in self.made}
        quiet = Customer.objects.filter(facts__stage=Stage.AT_RISK, facts__mrr__gt=0, owner__isnull=False)
        found = list(quiet.exclude(pk__in=had).select_related("owner", "facts").order_by("pk"))
        return self.rng.sample(found, min(number, len(found)))

    def _weighed(self, customer: Customer, terms: Terms, reason: str) -> tuple[Offer, Weighed, Period]:
        by, now = customer.owner, clock.now()
        assert by is not None  # noqa: S101
        ground = Ground.on(customer.facts, self.workspace)
        period = Period.at(now, self.workspace.zone, ground.currency)
        cost = cost_of(terms, ground.mrr, self.policy.training_cost, ground.currency)
        weighed = weigh(terms, cost, ground, Spent(Decimal(0), self._given(by.pk, period)), self.limits)
        once = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        return drafted(Wish(customer.pk, terms, reason, "", once), by, weighed, now), weighed, period

    def _given(self, person_id: int, period: Period) -> Decimal:
        return self.spent.get((person_id, period.month), Decimal(0))


def _told(offer: Offer) -> Iterator[Happening]:
    yield happening(offer, "requested" if offer.waits else "granted", offer.asked_by, offer.asked_at)
    if offer.used_at:
        yield happening(offer, "used", None, offer.used_at)
