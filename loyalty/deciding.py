"""Deciding on what somebody asked for: approved within the approver's own limits, declined, handed on, or too late."""

from datetime import datetime

from django.db import transaction

from loyalty import spending
from loyalty.authorising import approver_for, authority_of, decides
from loyalty.costing import Cost, Terms
from loyalty.granting import NotTheirs, Refused, grant
from loyalty.models import Offer
from loyalty.spending import Period
from loyalty.telling import tell, tell_asker
from loyalty.weighing import Ground, Weighed, weigh
from retention.common import clock
from retention.workspace.models import User, Workspace


class Decided(Refused):
    """Somebody was faster, or it was withdrawn or has expired meanwhile."""


class BeyondOwnLimits(Refused):
    """It goes beyond what the approver may give themselves; `over` says which limits."""

    def __init__(self, over: list[str]) -> None:
        super().__init__("It goes beyond your own limits: " + "; ".join(over) + ".")
        self.over = over


def against_own_limits(offer: Offer, by: User, *, locked: bool) -> tuple[Weighed, Period]:
    """How an offer that was asked for stands against the limits of whoever approves it. Its cost stays as asked."""
    workspace = Workspace.current()
    period = Period.at(clock.now(), workspace.zone, workspace.currency)
    look = spending.lock if locked else spending.read
    spent = look(offer.customer_id, by.pk, period)
    cost = Cost(offer.cost, offer.formula)
    return weigh(Terms.of(offer), cost, Ground.under(offer.customer_id, workspace), spent, authority_of(by)), period


@transaction.atomic
def approve(offer_id: int, by: User, answer: str) -> Offer:
    """Grant what was asked for, out of the approver's budget. Raises NotTheirs, Refused."""
    now = clock.now()
    offer = _taken_up(offer_id, by, now)
    weighed, period = against_own_limits(offer, by, locked=True)
    if offer.currency != period.currency:
        raise Refused(f"It was asked for in {offer.currency}; limits are in {period.currency} now. Let them ask again.")
    if weighed.over:
        raise BeyondOwnLimits(weighed.over)
    offer.decided_by, offer.decided_at, offer.answer = by, now, answer
    grant(offer, by, weighed, period, now)
    offer.save()
    tell(offer, "approved", by, now)
    tell(offer, "granted", by, now)
    said = Terms.of(offer).said(offer.currency)
    tell_asker(offer, f"Give them {said}", f"Approved by {by}. {answer}".strip())
    return offer


@transaction.atomic
def decline(offer_id: int, by: User, answer: str) -> Offer:
    """Say no, and why. Raises NotTheirs, Decided."""
    now = clock.now()
    offer = _taken_up(offer_id, by, now)
    offer.state = Offer.State.DECLINED
    offer.decided_by, offer.decided_at, offer.answer = by, now, answer
    offer.save()
    tell(offer, "declined", by, now)
    said = Terms.of(offer).said(offer.currency)
    tell_asker(offer, "Find another way to keep them", f"{by} declined {said}: {answer}")
    return offer


@transaction.atomic
def hand_on(offer_id: int, by: User) -> Offer:
    """Leave it to whoever the approver asks themselves above their limits. Raises NotTheirs, Decided."""
    offer = _taken_up(offer_id, by, clock.now())
    named = approver_for(by, authority_of(by))
    offer.approver = None if named and named.pk == offer.asked_by_id else named
    offer.save()
    return offer


def _taken_up(offer_id: int, by: User, now: datetime) -> Offer:
    """The offer, locked, where it waits for this person."""
    offer = Offer.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=offer_id)
    if not decides(by, offer.asked_by_id, offer.approver_id):
        raise NotTheirs
    if not offer.waits or (offer.expires_at and offer.expires_at <= now):
        raise Decided("It does not wait any more: somebody else decided, it was withdrawn, or its time is over.")
    return offer


@transaction.atomic
def expire(limit: int = 500) -> int:
    """Close what nobody answered in time, and tell who asked. Gives how many."""
    now = clock.now()
    due = Offer.objects.select_for_update(skip_locked=True).filter(state=Offer.State.ASKED, expires_at__lte=now)
    rows = list(due.order_by("expires_at", "pk")[:limit])
    for offer in rows:
        said = Terms.of(offer).said(offer.currency)
        tell(offer, "expired", None, offer.expires_at or now)
        tell_asker(offer, "Find another way to keep them", f"Nobody decided in time on {said}.")
        offer.state = Offer.State.EXPIRED
    Offer.objects.bulk_update(rows, ["state"])
    return len(rows)
