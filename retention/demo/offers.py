"""Save offers: made to subscribers who went quiet, each by whoever looks after them; one waits for the administrator.

Nothing is planted: who got an offer lives on as they would have without. What the page of outcomes then shows is what
comes of being at risk, which is why it claims nothing.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from random import Random

from customers.events.recording import record
from customers.models import Customer, Stage
from loyalty.authorising import authority_of
from loyalty.costing import Terms, cost_of
from loyalty.granting import Agreed, Wish, drafted, grant, make, weighed_for
from loyalty.models import Authority, Kind, Offer, Policy, Reason
from loyalty.spending import Period, Spent
from loyalty.telling import happening
from loyalty.weighing import Ground, weigh
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
    return Givers(rng, limits, Workspace.current(), Policy.current().training_cost)


@dataclass
class Givers:
    """What they may give, and what each has given in a month."""

    rng: Random
    limits: Authority
    workspace: Workspace
    session: Decimal
    spent: dict[tuple[int, date], Decimal] = field(default_factory=dict)

    def look_after(self) -> None:
        """As of the clock's day: some who are at risk are made an offer within the limits, and most use it."""
        now = clock.now()
        made = [offer for customer in self._at_risk(A_TIME) if (offer := self._given(customer, now))]
        Offer.objects.bulk_create(made)
        told = [happening(offer, "granted", offer.asked_by, now) for offer in made]
        record(told + [happening(offer, "used", None, offer.used_at) for offer in made if offer.used_at])

    def ask(self) -> None:
        """One offer above the limits of whoever looks after the customer: it waits."""
        for customer in self._at_risk(1):
            by = customer.owner
            assert by is not None  # noqa: S101
            agreed = Agreed.to(weighed_for(by, authority_of(by), customer.pk, ABOVE))
            make(self._wish(customer, ABOVE, Reason.COMPETITOR, NOTE), by, agreed)

    def _at_risk(self, number: int) -> list[Customer]:
        """Subscribers who went quiet, have somebody who looks after them and never had an offer."""
        quiet = Customer.objects.filter(facts__stage=Stage.AT_RISK, facts__mrr__gt=0, owner__isnull=False)
        found = list(quiet.exclude(offers__isnull=False).select_related("owner", "facts").order_by("pk"))
        return self.rng.sample(found, min(number, len(found)))

    def _given(self, customer: Customer, now: datetime) -> Offer | None:
        """An offer that is granted, not written down yet; None where it would be beyond the limits."""
        by, (terms, reason) = customer.owner, self.rng.choice(CHOICES)
        assert by is not None  # noqa: S101
        ground = Ground.on(customer.facts, self.workspace)
        period = Period.at(now, self.workspace.zone, ground.currency)
        spent = Spent(Decimal(0), self.spent.get((by.pk, period.month), Decimal(0)))
        cost = cost_of(terms, ground.mrr, self.session, ground.currency)
        weighed = weigh(terms, cost, ground, spent, self.limits)
        if weighed.over:
            return None
        offer = drafted(self._wish(customer, terms, reason), by, weighed, now)
        grant(offer, by, weighed, period, now)
        offer.used_at = now if self.rng.random() < USED else None
        self.spent[by.pk, period.month] = spent.person_month + cost.amount
        return offer

    def _wish(self, customer: Customer, terms: Terms, reason: str, note: str = "") -> Wish:
        once = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        return Wish(customer.pk, terms, reason, note, once)
