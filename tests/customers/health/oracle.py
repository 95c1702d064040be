"""Health worked out in plain Python, one customer at a time, from METRICS and docs/health.md and not from the SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from customers.models import Customer, CustomerFacts

DAY = timedelta(days=1)
WEIGHTS = {"low": Fraction(1, 2), "normal": Fraction(1), "high": Fraction(2), "urgent": Fraction(3)}
AGES = ("recency", "engagement")


@dataclass(frozen=True)
class Judged:
    score: int | None
    band: str
    coverage: int
    points: dict[str, int | None]


def half_up(value: Fraction, places: int = 0) -> Fraction:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return Fraction(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def usage_trend(facts: CustomerFacts) -> Fraction | None:
    now, before = facts.usage_30d, facts.usage_prior_30d
    if before >= 10:
        return half_up(Fraction(100 * (now - before), before), 1)
    return Fraction(-100) if not now and facts.last_usage_at else None


def cases(who: Customer, now: datetime) -> Fraction | None:
    known = [case for case in who.cases.all() if case.opened_at <= now]
    burden = sum((WEIGHTS[case.priority] for case in known if case.state != "resolved"), Fraction())
    return burden if burden or any(case.opened_at > now - 365 * DAY for case in known) else None


def payments(who: Customer, now: datetime) -> Fraction | None:
    placed = [
        order for order in who.orders.filter(amount__gt=0, currency="EUR") if now - 365 * DAY < order.ordered_at <= now
    ]
    total = sum((Fraction(order.amount) for order in placed), Fraction())
    lost = sum(
        Fraction(min(order.refunded, order.amount) if order.state == "completed" else order.amount) for order in placed
    )
    return half_up(100 * lost / total, 1) if total else None


def plan_progress(who: Customer, now: datetime) -> Fraction | None:
    steps = [step for plan in who.plans.filter(state="agreed") for step in plan.milestones.exclude(state="dropped")]
    reached = sum(step.state == "done" for step in steps)
    late = sum(step.state == "open" and step.due_on < now.date() for step in steps)
    return half_up(Fraction(100 * reached, reached + late), 1) if reached + late else None


def gap(facts: CustomerFacts) -> timedelta:
    """As docs/lifecycle.md has it, in an activity window of 90 days."""
    if facts.orders >= 3 and facts.order_gap_days is not None:
        return min(max(facts.order_gap_days * DAY, 15 * DAY), 90 * DAY)
    return 30 * DAY


def raws(who: Customer, now: datetime) -> dict[str, Any]:
    facts = CustomerFacts.objects.get(customer=who)
    expected = [facts.last_order_at + gap(facts)] if facts.last_order_at else []
    expected += [facts.last_usage_at + 14 * DAY] if facts.last_usage_at else []
    touched = [at for at in (facts.last_talk_at, facts.last_open_at, facts.last_click_at) if at]
    answered = facts.nps_at is not None and facts.nps_at > now - 365 * DAY
    return {
        "usage_trend": usage_trend(facts),
        "recency": max(expected, default=None),
        "cases": cases(who, now),
        "payments": payments(who, now),
        "plan_progress": plan_progress(who, now),
        "engagement": max(touched, default=None),
        "nps": Fraction(facts.nps_score) if answered and facts.nps_score is not None else None,
    }


def points(key: str, raw: Any, said: Mapping[str, int], now: datetime) -> int | None:
    if raw is None:
        return None
    worst, best = said["worst"], said["best"]
    if key in AGES:
        passed: int = (now - raw - best * DAY) // ((worst - best) * DAY / 10)
        return 100 - 10 * min(10, max(0, passed))
    share = min(Fraction(1), max(Fraction(0), (raw - worst) / Fraction(best - worst)))
    return int(half_up(100 * share))


def judge(who: Customer, inputs: Mapping[str, Mapping[str, int]], now: datetime, least: int = 30) -> Judged:
    found = raws(who, now)
    weighed = {key: said for key, said in inputs.items() if said["weight"]}
    told = {key: points(key, found[key], said, now) for key, said in weighed.items()}
    present = sum(weighed[key]["weight"] for key, got in told.items() if got is not None)
    gained = sum(weighed[key]["weight"] * got for key, got in told.items() if got is not None)
    coverage = int(half_up(Fraction(100 * present, sum(said["weight"] for said in weighed.values()))))
    if not present or coverage < least:
        return Judged(None, "", coverage, told)
    score = int(half_up(Fraction(gained, present)))
    return Judged(score, "good" if score >= 70 else "watch" if score >= 40 else "poor", coverage, told)
