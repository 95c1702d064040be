"""Facts, stages and months worked out in plain Python, one customer at a time, from the definitions and not the SQL."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from customers.models import Customer, Event, Order, SubscriptionTerm

DAY = timedelta(days=1)
MONTHS = {"week": Fraction(52, 12), "month": Fraction(1), "quarter": Fraction(1, 3), "year": Fraction(1, 12)}


def within(instants: list[datetime], now: datetime, old: int, young: int = 0) -> int:
    return sum(now - old * DAY < at <= now - young * DAY for at in instants)


def orders(who: Customer, now: datetime, zone: ZoneInfo, window: timedelta) -> dict[str, Any]:
    counted = [order for order in who.orders.order_by("ordered_at") if order.state == "completed"]
    past = [order for order in counted if order.ordered_at <= now]
    recent = [order for order in past if order.ordered_at > now - 365 * DAY]
    days = sorted({order.ordered_at.astimezone(zone).date() for order in past})
    returns = [after.ordered_at for before, after in pairwise(past) if after.ordered_at - before.ordered_at >= window]
    return {
        "first_order_at": past[0].ordered_at if past else None,
        "last_order_at": past[-1].ordered_at if past else None,
        "orders": len(past),
        "revenue": sum((order.net for order in past if order.currency == "EUR"), Decimal()),
        "orders_foreign": sum(order.currency != "EUR" for order in past),
        "orders_365d": len(recent),
        "revenue_365d": sum((order.net for order in recent if order.currency == "EUR"), Decimal()),
        "order_gap_days": (days[-1] - days[0]).days / (len(days) - 1) if len(days) > 1 else None,
        "reordered": max(returns, default=None),
    }


def in_force(term: SubscriptionTerm, now: datetime) -> bool:
    return term.valid_from <= now and (term.valid_to is None or term.valid_to > now)


def monthly(term: SubscriptionTerm) -> Fraction:
    return Fraction(term.amount) * (1 - Fraction(term.discount) / 100) * MONTHS[term.interval] / term.interval_count


def terms_of(who: Customer) -> list[SubscriptionTerm]:
    found = SubscriptionTerm.objects.filter(customer=who).select_related("subscription")
    return list(found.order_by("valid_from", "id"))


def subscriptions(who: Customer, now: datetime) -> dict[str, Any]:
    terms = terms_of(who)
    running = [term for term in terms if in_force(term, now)]
    ended = [term.valid_to for term in terms if term.valid_to and term.valid_to <= now]
    renewals = [at for term in running if (at := term.subscription.renews_at) and at > now]
    mrr = sum((monthly(term) for term in running if term.currency == "EUR"), Fraction())
    returns = []
    for index, term in enumerate(terms):
        ends = [earlier.valid_to for earlier in terms[:index]]
        known = [end for end in ends if end]
        if term.valid_from <= now and ends and len(known) == len(ends):
            returns += [term.valid_from] if term.valid_from - max(known) >= 7 * DAY else []
    return {
        "mrr": to_four_decimals(mrr),
        "subscribed_at": min((term.valid_from for term in terms if term.valid_from <= now), default=None),
        "renews_at": min(renewals, default=None),
        "churned_at": None if running else max(ended, default=None),
        "resubscribed": max(returns, default=None),
        "running": bool(running),
    }


def movements_of(who: Customer, now: datetime, zone: ZoneInfo) -> dict[tuple[str, date], tuple[str, Decimal]]:
    """What the rollup of MRR must say at `now`: kind and size by currency and day, from the MRR as each day ends."""
    terms, found = terms_of(who), {}
    instants = {at for term in terms for at in (term.valid_from, term.valid_to) if at and at <= now}
    for currency in {term.currency for term in terms}:
        own, before, had = [term for term in terms if term.currency == currency], Fraction(), False
        for day in sorted({at.astimezone(zone).date() for at in instants}):
            late = min(now, datetime.combine(day + DAY, time(), zone) - timedelta(microseconds=1))
            after = sum((monthly(term) for term in own if in_force(term, late)), Fraction())
            if after != before:
                found[currency, day] = (kind_of(before, after, had), to_four_decimals(after - before))
            before, had = after, had or after > 0
    return found


def kind_of(before: Fraction, after: Fraction, had: bool) -> str:
    if not before:
        return "reactivation" if had else "new"
    return "churn" if not after else "expansion" if after > before else "contraction"


def to_four_decimals(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def signals(who: Customer, now: datetime) -> dict[str, Any]:
    past = [event for event in who.events.order_by("occurred_at", "id") if event.occurred_at <= now]

    def last(kind: str) -> datetime | None:
        return max((event.occurred_at for event in past if event.kind == kind), default=None)

    answers = [event for event in past if event.kind == "survey.answered" and score(event) is not None]
    rated = who.cases.filter(rated_at__lte=now).order_by("rated_at", "id").last()
    usage = [event.occurred_at for event in past if event.kind == "usage"]
    talks = who.interactions.exclude(kind="note").filter(removed_at=None, happened_at__lte=now)
    return {
        "last_usage_at": last("usage"),
        "usage_30d": within(usage, now, 30),
        "usage_prior_30d": within(usage, now, 60, 30),
        "nps_score": score(answers[-1]) if answers else None,
        "nps_at": answers[-1].occurred_at if answers else None,
        "open_tasks": sum(task.state == "open" for task in who.tasks.all()),
        "open_cases": who.cases.exclude(state="resolved").filter(opened_at__lte=now).count(),
        "csat_at": rated.rated_at if rated else None,
        "csat_score": rated.rating if rated else None,
        "last_message_at": last("message.sent"),
        "last_click_at": last("message.clicked"),
        "last_open_at": last("message.opened"),
        "last_talk_at": talks.order_by("happened_at").values_list("happened_at", flat=True).last(),
    }


def score(event: Event) -> int | None:
    given = event.payload.get("score")
    return int(given) if str(given) in {str(number) for number in range(11)} else None


def stage(facts: dict[str, Any], now: datetime, window: timedelta) -> str:
    back = facts["returned_at"]
    won_back = back is not None and now - back < window
    if facts["running"]:
        return subscriber_stage(facts, now, window, won_back)
    last, left = facts["last_order_at"], facts["churned_at"]
    if left is not None and (last is None or last <= left):
        return "lost" if now - left >= 4 * window else "lapsed"
    return "prospect" if last is None else buyer_stage(facts, now, window, won_back)


def subscriber_stage(facts: dict[str, Any], now: datetime, window: timedelta, won_back: bool) -> str:
    before = facts["usage_prior_30d"]
    if before >= 10 and Fraction(facts["usage_30d"], before) <= Fraction(6, 10):
        return "at_risk"
    if won_back:
        return "won_back"
    age = now - facts["subscribed_at"]
    return "new" if age < window else "loyal" if age >= 365 * DAY else "active"


def buyer_stage(facts: dict[str, Any], now: datetime, window: timedelta, won_back: bool) -> str:
    gap, own = window / 3, facts["order_gap_days"]
    if facts["orders"] >= 3 and own is not None:
        gap = min(max(own * DAY, window / 6), window)
    silence = now - facts["last_order_at"]
    for stage_name, gaps in (("lost", 12), ("lapsed", 3), ("at_risk", 2)):
        if silence >= gaps * gap:
            return stage_name
    if won_back:
        return "won_back"
    if facts["orders"] <= 2 and now - facts["first_order_at"] < window:
        return "new"
    return "loyal" if facts["orders_365d"] >= 4 else "active"


def facts_of(who: Customer, now: datetime, zone: ZoneInfo, window: timedelta) -> dict[str, Any]:
    """What the row of facts must say at `now`."""
    bought, contracts = orders(who, now, zone, window), subscriptions(who, now)
    returns = [at for at in (bought.pop("reordered"), contracts.pop("resubscribed")) if at]
    facts = bought | contracts | signals(who, now) | {"returned_at": max(returns, default=None)}
    facts["stage"] = stage(facts, now, window)
    del facts["running"]
    return facts


def months_of(who: Customer, now: datetime, zone: ZoneInfo) -> dict[date, dict[str, Any]]:
    """What the rollup must say at `now`: its rows by month."""
    tests: dict[str, Callable[[Order], bool]] = {
        "all": lambda order: True,
        "kept": lambda order: order.state == "completed",
        "paid": lambda order: order.state == "completed" and order.net > 0,
    }
    by_month: dict[date, list[Order]] = defaultdict(list)
    for order in who.orders.filter(ordered_at__lte=now):
        by_month[order.ordered_at.astimezone(zone).date().replace(day=1)].append(order)
    rows: dict[date, dict[str, Any]] = {month: {} for month in by_month}
    for name, test in tests.items():
        cohort = min((month for month, made in by_month.items() if any(map(test, made))), default=None)
        for month, made in by_month.items():
            counted = [order for order in made if test(order)]
            rows[month] |= {
                f"cohort_{name}": cohort,
                f"orders_{name}": len(counted),
                f"revenue_{name}": sum((order.net for order in counted if order.currency == "EUR"), Decimal()),
                "orders_foreign": sum(order.currency != "EUR" for order in made),
            }
    return rows
