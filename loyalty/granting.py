"""Making an offer: granted on the spot within the limits, asked for above them; and taking it back."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from customers.events.recording import record
from customers.models import Task
from loyalty import spending
from loyalty.authorising import approver_for, authority_of
from loyalty.costing import Terms, cost_of
from loyalty.models import Authority, Offer, Policy
from loyalty.spending import Period
from loyalty.telling import close_tasks, happening, tell
from loyalty.weighing import Ground, Weighed, weigh
from retention.common import clock
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role


class Refused(Exception):
    """It can't be done. The text says why."""


class NotTheirs(Exception):
    """Somebody else's to do."""


class WeighsDifferently(Exception):
    """Since it was looked at the cost or the limits have changed; `weighed` is what holds now."""

    def __init__(self, weighed: Weighed) -> None:
        super().__init__("It weighs differently now.")
        self.weighed = weighed


@dataclass(frozen=True)
class Wish:
    """What somebody wants to give and why. `once` is the form's own number: sent twice, it is one offer."""

    customer_id: int
    terms: Terms
    reason: str
    note: str
    once: uuid.UUID


@dataclass(frozen=True)
class Agreed:
    """What the person saw and said yes to: the cost, and whether it would be granted or asked for."""

    cost: Decimal
    asks: bool

    @classmethod
    def to(cls, weighed: Weighed) -> "Agreed":
        return cls(weighed.cost.amount, bool(weighed.over))


def weighed_for(user: User, limits: Authority, customer_id: int, terms: Terms) -> Weighed:
    """How an offer would stand against a person's limits now. Raises NoPrice."""
    workspace = Workspace.current()
    period = Period.at(clock.now(), workspace.zone, workspace.currency)
    spent = spending.read(customer_id, user.pk, period)
    ground = Ground.under(customer_id, workspace)
    cost = cost_of(terms, ground.mrr, Policy.current().training_cost, workspace.currency)
    return weigh(terms, cost, ground, spent, limits)


@transaction.atomic
def make(wish: Wish, by: User, agreed: Agreed | None) -> Offer:
    """Grant an offer, or ask for approval where it goes beyond the limits of whoever makes it.

    Raises NoPrice, and WeighsDifferently where it is not (or not any more) what was agreed to.
    """
    now, workspace = clock.now(), Workspace.current()
    period = Period.at(now, workspace.zone, workspace.currency)
    spent = spending.lock(wish.customer_id, by.pk, period)
    limits = authority_of(by)  # those of now: they may have been lowered while this waited
    if sent_before := Offer.objects.filter(once=wish.once, asked_by=by).first():
        return sent_before
    ground = Ground.under(wish.customer_id, workspace)
    policy = Policy.current()
    cost = cost_of(wish.terms, ground.mrr, policy.training_cost, period.currency)
    weighed = weigh(wish.terms, cost, ground, spent, limits)
    if Agreed.to(weighed) != agreed:
        raise WeighsDifferently(weighed)
    offer = drafted(wish, by, weighed, now)
    if weighed.over:
        ask(offer, limits, weighed, timedelta(days=policy.days_to_answer))
    else:
        grant(offer, by, weighed, period, now)
    offer.save()
    tell(offer, "requested" if offer.waits else "granted", by, now)
    return offer


def drafted(wish: Wish, by: User, weighed: Weighed, now: datetime) -> Offer:
    """The offer as it begins, before it is granted or asked for."""
    terms = wish.terms
    return Offer(
        customer_id=wish.customer_id,
        kind=terms.kind,
        percent=terms.percent or None,
        months=terms.months or None,
        amount=terms.amount or None,
        plan=terms.plan,
        sessions=terms.sessions or None,
        cost=weighed.cost.amount,
        currency=weighed.ground.currency,
        formula=weighed.cost.formula,
        reason=wish.reason,
        note=wish.note,
        asked_by=by,
        asked_at=now,
        once=wish.once,
    )


def ask(offer: Offer, limits: Authority, weighed: Weighed, time_to_answer: timedelta) -> None:
    """Fill in whom it waits for, why and until when."""
    offer.state, offer.over = Offer.State.ASKED, weighed.over
    offer.approver = approver_for(offer.asked_by, limits)
    offer.expires_at = offer.asked_at + time_to_answer


def grant(offer: Offer, by: User, weighed: Weighed, period: Period, now: datetime) -> None:
    """Fill in whose budget it comes out of; the database books it as the row is written."""
    offer.state, offer.granted_at = Offer.State.GRANTED, now
    offer.answerable, offer.month = by, period.month
    offer.customer_ceiling, offer.month_ceiling = weighed.customer_ceiling, weighed.month_ceiling


@transaction.atomic
def withdraw(offer_id: int, by: User) -> Offer:
    """Take back what was asked for, or granted and not used yet. Its cost goes back into the budgets.

    Raises NotTheirs, Refused.
    """
    offer = Offer.objects.select_for_update().get(pk=offer_id)
    if not may_withdraw(offer, by):
        raise NotTheirs
    if not offer.can_go_back:
        raise Refused("It can't be withdrawn any more: it was used, or is over.")
    offer.state, offer.withdrawn_by, offer.withdrawn_at = Offer.State.WITHDRAWN, by, clock.now()
    offer.save()
    tell(offer, "withdrawn", by, offer.withdrawn_at)
    close_tasks([offer], by, Task.State.DROPPED)
    return offer


def may_withdraw(offer: Offer, by: User) -> bool:
    """Who made it, who answers for it, and administrators."""
    return by.pk in (offer.asked_by_id, offer.answerable_id) or by.role == Role.ADMINISTRATOR


@transaction.atomic
def mark_used(offer_id: int, by: User) -> Offer:
    """The customer has had it: it can't be withdrawn any more. Said twice it is said once. Raises Refused."""
    offer = Offer.objects.select_for_update().get(pk=offer_id)
    if offer.state != Offer.State.GRANTED:
        raise Refused("Only an offer that was granted can be used.")
    if not offer.used_at:
        offer.used_at = clock.now()
        offer.save()
        tell(offer, "used", by, offer.used_at)
        close_tasks([offer], by, Task.State.DONE)
    return offer


@transaction.atomic
def mark_many_used(offers: QuerySet[Offer], by: User) -> int:
    """The same for those of many offers that are granted and not used yet. Gives how many they were."""
    now = clock.now()
    open_ones = Offer.objects.filter(pk__in=offers.order_by().values("pk"), state=Offer.State.GRANTED, used_at=None)
    rows = list(open_ones.select_for_update().order_by("pk"))
    Offer.objects.filter(pk__in=[offer.pk for offer in rows]).update(used_at=now)
    record(happening(offer, "used", by, now) for offer in rows)
    close_tasks(rows, by, Task.State.DONE)
    return len(rows)
