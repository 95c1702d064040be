"""What is agreed with a customer on a subscription: started, changed, renewed, cancelled, resumed.

Each locks the subscription, cuts or adds terms, and records its event; facts and movements follow when the router
takes that up. What has already stood is history and is not rewritten: a change may correct the conditions that stand
now, or hold from an instant within them on, and takes the place of changes that were still to come.
"""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from customers.events.recording import Happening, record
from customers.models import Customer, Interval, Subscription, SubscriptionTerm
from customers.models.subscriptions import PER_YEAR
from customers.subscriptions import periods
from retention.common import clock
from retention.common.money import rounded
from retention.workspace.models import Workspace
from retention.workspace.templatetags.shell import day_text


class Refused(Exception):
    """It cannot be done to this subscription; the text says why, for the person who asked."""


class ChangedMeanwhile(Exception):
    """Somebody else saved the subscription after it was opened here. `stands` is how it is now."""

    def __init__(self, stands: Subscription) -> None:
        self.stands = stands


@dataclass(frozen=True)
class Conditions:
    """What is paid for what. `amount` as `SubscriptionTerm` has it; `discount` in per cent."""

    plan: str
    quantity: int
    amount: Decimal
    currency: str
    interval: str
    interval_count: int = 1
    discount: Decimal = Decimal(0)

    @property
    def mrr(self) -> Decimal:
        """METRICS, Recurring revenue; the database works it out for each term in the same way."""
        yearly = self.amount * (100 - self.discount) * PER_YEAR[Interval(self.interval)]
        return yearly / (1_200 * self.interval_count)

    @classmethod
    def of(cls, term: SubscriptionTerm) -> "Conditions":
        return cls(**{each.name: getattr(term, each.name) for each in fields(cls)})


@dataclass(frozen=True)
class Bond:
    """Until when the customer is bound, and what happens then. Without a date it goes on until it is cancelled."""

    renews_at: datetime | None = None
    notice_days: int = 0
    auto_renews: bool = True

    @property
    def ends_at(self) -> datetime | None:
        """When it ends unless somebody renews it."""
        return None if self.auto_renews else self.renews_at


@transaction.atomic
def start(
    customer_id: int, conditions: Conditions, bond: Bond, at: datetime, external_id: str = "", source: str = "web"
) -> Subscription:
    """A new subscription from `at` on. Raises Customer.DoesNotExist, Refused, and IntegrityError for a taken id."""
    Customer.objects.select_for_update().get(pk=customer_id)
    if bond.renews_at and bond.renews_at <= at:
        raise Refused("It would renew before it starts.")
    name = external_id or f"own-{uuid.uuid4().hex[:12]}"
    row = Subscription.objects.create(
        customer_id=customer_id, external_id=name, **asdict(bond), source=source, updated_at=clock.now()
    )
    _add_term(row, conditions, at, bond.ends_at)
    if at <= clock.now():
        record([happening(row, "subscription.started", at, conditions, source=source)])
    _settle(row, source)
    return row


@transaction.atomic
def change(subscription_id: int, conditions: Conditions, bond: Bond, at: datetime, opened: datetime) -> None:
    """Other conditions from `at` on, and another bond from now on.

    Raises ChangedMeanwhile, Refused, and Subscription.DoesNotExist.
    """
    row, terms = _locked(subscription_id, opened)
    _refuse_over(row, terms)
    if bond.renews_at and bond.renews_at <= max(at, clock.now()):
        raise Refused("The renewal must be still to come, and later than the change.")
    before = Conditions.of(standing(terms, at))
    if conditions != before or any(term.valid_from > at for term in terms):
        _cut(terms, at, replacing=True)
        _add_term(row, conditions, at, bond.ends_at)
    else:
        SubscriptionTerm.objects.filter(pk=terms[-1].pk).update(valid_to=bond.ends_at)
    said = differences(before, conditions) or "what happens at its renewal"
    if at > clock.now():
        said += f", from {day_text(at)} on"
    row.renews_at, row.notice_days, row.auto_renews = bond.renews_at, bond.notice_days, bond.auto_renews
    record([happening(row, "subscription.changed", min(at, clock.now()), conditions, said=said)])
    _settle(row)


@transaction.atomic
def renew(subscription_id: int, until: datetime, opened: datetime) -> None:
    """Bind the customer until later. Raises ChangedMeanwhile, Refused, and Subscription.DoesNotExist."""
    row, terms = _locked(subscription_id, opened)
    _refuse_over(row, terms)
    if until <= max(row.renews_at or terms[0].valid_from, clock.now()):
        raise Refused("The next renewal must be later than the present one.")
    row.renews_at = until
    if not row.auto_renews:
        SubscriptionTerm.objects.filter(pk=terms[-1].pk).update(valid_to=until)
    record([happening(row, "subscription.renewed", clock.now(), Conditions.of(terms[-1]), until=day_text(until))])
    _settle(row)


@transaction.atomic
def cancel(subscription_id: int, at: datetime, reason: str, opened: datetime) -> None:
    """End it at `at`, which may be still to come. Raises ChangedMeanwhile, Refused, and Subscription.DoesNotExist."""
    row, terms = _locked(subscription_id, opened)
    _refuse_over(row, terms)
    at = max(at, terms[0].valid_from)
    now = clock.now()
    conditions = Conditions.of(standing(terms, at))
    _cut(terms, at, replacing=False)
    row.cancelled_at, row.cancel_reason, row.renews_at = now, reason, None
    record([happening(row, "subscription.cancelled", now, conditions, reason=reason, until=day_text(at))])
    _settle(row)


@transaction.atomic
def resume(subscription_id: int, at: datetime, opened: datetime) -> None:
    """Take a cancellation back before it holds, or go on at `at` under the last conditions once it has ended.

    Raises ChangedMeanwhile, Refused, and Subscription.DoesNotExist.
    """
    row, terms = _locked(subscription_id, opened)
    now, last, zone = clock.now(), terms[-1], Workspace.current().zone
    if last.valid_to is None or (row.cancelled_at is None and last.valid_to > now):
        raise Refused("It has not been cancelled.")
    conditions = Conditions.of(last)
    if last.valid_to > now:
        begun, since = terms[0].valid_from, now
    elif at < last.valid_to:
        raise Refused(f"It was in force until {day_text(last.valid_to)}: it can go on from then on.")
    else:
        begun = since = at
    every = (conditions.interval, conditions.interval_count)
    # Whoever is bound is bound to what was planned too.
    row.renews_at = periods.renewal_after(begun, max(since, now, last.valid_from), *every, zone)
    row.cancelled_at, row.cancel_reason = None, ""
    ends_at = None if row.auto_renews else row.renews_at
    if last.valid_to > now or last.valid_from == at:  # one that was ended as it began goes on instead of another
        SubscriptionTerm.objects.filter(pk=last.pk).update(valid_to=ends_at)
    else:
        _add_term(row, conditions, at, ends_at)
    record([happening(row, "subscription.resumed", min(since, now), conditions)])
    _settle(row)


def standing(terms: Sequence[SubscriptionTerm], at: datetime) -> SubscriptionTerm:
    """The term in force at an instant, or the last that began by then, or the first. Terms in order of time."""
    return next((term for term in reversed(terms) if term.valid_from <= at), terms[0])


def _locked(subscription_id: int, opened: datetime) -> tuple[Subscription, list[SubscriptionTerm]]:
    row = Subscription.objects.select_for_update().get(pk=subscription_id)
    if row.updated_at != opened:
        raise ChangedMeanwhile(row)
    return row, list(row.terms.order_by("valid_from"))


def _refuse_over(row: Subscription, terms: Sequence[SubscriptionTerm]) -> None:
    end = terms[-1].valid_to
    if end is not None and end <= clock.now():
        raise Refused(f"It ended on {day_text(end)}. Resume it first.")
    if row.cancelled_at:
        raise Refused(f"It is cancelled{f' for {day_text(end)}' if end else ''}. Resume it first.")


def _cut(terms: Sequence[SubscriptionTerm], at: datetime, *, replacing: bool) -> None:
    """End at `at` the term that stands then, and drop later ones; `replacing` drops one that begins at `at` too.

    Raises Refused where that would rewrite what has stood.
    """
    begun = [term for term in terms if term.valid_from <= clock.now()]
    if begun and at < begun[-1].valid_from:
        since = day_text(begun[-1].valid_from)
        raise Refused(f"The present conditions hold since {since}: it can be changed or ended from then on.")
    kept = [term for term in terms if term.valid_from < at or (term.valid_from == at and not replacing)]
    SubscriptionTerm.objects.filter(pk__in={term.pk for term in terms} - {term.pk for term in kept}).delete()
    if kept and (end := kept[-1].valid_to) is not None and end < at:
        raise Refused(f"It ends on {day_text(end)}, before that day.")
    SubscriptionTerm.objects.filter(pk__in=[term.pk for term in kept[-1:]]).update(valid_to=at)


def _add_term(row: Subscription, conditions: Conditions, at: datetime, ends_at: datetime | None) -> None:
    SubscriptionTerm.objects.create(
        subscription=row, customer_id=row.customer_id, valid_from=at, valid_to=ends_at, **asdict(conditions)
    )


def _settle(row: Subscription, source: str = "web") -> None:
    """Store the subscription; tell that it has ended where it has; say when time alone next does something to it."""
    terms, now = list(row.terms.order_by("valid_from")), clock.now()
    end = terms[-1].valid_to
    if end is not None and end <= now:
        record([ended(row, terms[-1], source)])
    row.turns_at = next_turn(row, terms, now)
    row.updated_at = now
    row.save()


def next_turn(row: Subscription, terms: Sequence[SubscriptionTerm], after: datetime) -> datetime | None:
    """When time alone next starts, renews or ends it: later than `after`, or None."""
    end = terms[-1].valid_to
    turns = (terms[0].valid_from, end, row.renews_at if end is None else None)
    return min((turn for turn in turns if turn is not None and turn > after), default=None)


def ended(row: Subscription, last: SubscriptionTerm, source: str) -> Happening:
    at = last.valid_to or clock.now()
    reason = {"reason": row.cancel_reason} if row.cancel_reason else {}
    told = happening(row, "subscription.ended", at, Conditions.of(last), source=source, **reason)
    return replace(told, dedup_key=f"ended:{row.pk}:{at.isoformat()}")


def happening(
    row: Subscription, kind: str, at: datetime, conditions: Conditions, source: str = "web", **more: Any
) -> Happening:
    """What happened to a subscription, as it is recorded."""
    every = {"interval": conditions.interval, "interval_count": conditions.interval_count}
    paid = {"amount": str(conditions.amount), "currency": conditions.currency, "quantity": conditions.quantity}
    payload = {"subscription": row.pk, "plan": conditions.plan, **paid, **every, **more}
    key = f"started:{row.pk}" if kind == "subscription.started" else ""
    return Happening(row.customer_id, kind, at, source, f"subscription:{row.pk}", payload, key)


def differences(before: Conditions, after: Conditions) -> str:
    """What changes, in words: "quantity from 5 to 8, amount from 100.00 EUR to 160.00 EUR"."""
    return ", ".join(
        f"{each.name.replace('_', ' ')} from {_told(before, each.name)} to {_told(after, each.name)}"
        for each in fields(Conditions)
        if getattr(before, each.name) != getattr(after, each.name)
    )


def _told(conditions: Conditions, name: str) -> str:
    match name:
        case "amount":
            return f"{rounded(conditions.amount, conditions.currency):,} {conditions.currency}"
        case "discount":
            return f"{conditions.discount.normalize():f} %"
    return str(getattr(conditions, name))
