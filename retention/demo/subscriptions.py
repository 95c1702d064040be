"""Subscriptions: a machine-care plan with an app. Planted: who is about to leave uses it less first.

Month by month a subscriber may begin to drift: usage falls to a third. Some come back from it; of the others four in
ten leave in each later month. Without drifting hardly anybody leaves. The unhappy drift more. Who stays may come to pay
more or less: an introductory discount ends, a company takes more or fewer machines into the plan.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from math import exp
from random import Random

from retention.demo.people import Person
from retention.demo.span import DAYS, waking

MONTH = 30
DRIFT, RECOVER = 0.03, 0.15
LEAVE, LEAVE_FIRST_DRIFTING, LEAVE_DRIFTING = 0.004, 0.05, 0.40
RETURN = 0.12
PLANS = (("Starter", 24), ("Team", 69), ("House", 159))
# Interval, its months, what a month costs in it, its share.
INTERVALS = (("month", 1, 1.0, 60), ("quarter", 3, 0.95, 12), ("year", 12, 0.85, 28))
NOTICE_DAYS = {"month": 14, "quarter": 30, "year": 60}
# How often a contract begins with a discount, and how often it is changed at the end of a half-year, up and down.
INTRODUCED, INTRODUCTION_DAYS, INTRODUCTION = 0.15, 90, Decimal(20)
HALF_YEAR, GROWS, SHRINKS = 182, 0.16, 0.06
REASONS = ("Too expensive", "Not using it enough", "Moved to another supplier", "Closed down", "")


@dataclass(frozen=True)
class Term:
    """What a contract said from one day to another, or from that day on."""

    since: float
    until: float | None
    plan: str
    quantity: int
    amount: Decimal
    discount: Decimal


@dataclass
class Contract:
    """A subscription: days from the start of the span; `ended` is None while it runs. `drifts` are [from, to) days."""

    key: str
    plan: str
    quantity: int
    amount: Decimal
    interval: str
    months: int
    started: float
    ended: float | None = None
    reason: str = ""
    drifts: list[tuple[float, float]] = field(default_factory=list)

    def drifting(self, day: float) -> bool:
        return any(begun <= day < over for begun, over in self.drifts)

    def terms(self) -> list[Term]:
        """From the first to the last; the contract's own key decides about its changes."""
        rng = Random(self.key)  # noqa: S311 - a simulation
        each, over = self.amount / self.quantity, DAYS if self.ended is None else self.ended
        steps = [(self.started, self.quantity, INTRODUCTION if rng.random() < INTRODUCED else Decimal(0))]
        if steps[0][2]:
            steps.append((self.started + INTRODUCTION_DAYS, self.quantity, Decimal(0)))
        day, quantity = self.started + HALF_YEAR, self.quantity
        while day < over:
            chance = rng.random()
            quantity += 1 if chance < GROWS else -1 if chance > 1 - SHRINKS and quantity > 1 else 0
            if quantity != steps[-1][1]:
                steps.append((waking(rng, day), quantity, Decimal(0)))
            day += HALF_YEAR
        steps = [step for step in steps if step[0] < over]
        ends = [*(since for since, *_ in steps[1:]), self.ended]
        return [
            Term(since, until, self.plan, count, each * count, discount)
            for (since, count, discount), until in zip(steps, ends, strict=True)
        ]

    def cancelled(self, ended: float) -> float:
        """When they said that it would end: as long before as the notice asks for, at most."""
        return max(self.started, ended - Random(self.key).uniform(1, NOTICE_DAYS[self.interval]))  # noqa: S311

    def renews(self) -> float:
        """The next renewal at or after the end of the span."""
        period = self.months * MONTH if self.months < 12 else 365
        return self.started + period * (int((DAYS - self.started) // period) + 1)


def contracts(rng: Random, person: Person) -> list[Contract]:
    """What a person subscribed to, one after the other."""
    if not person.subscribes:
        return []
    first = _contract(rng, person, 1, person.joined + rng.uniform(1, 20))
    if first.started >= DAYS:
        return []
    _live(rng, person, first)
    if first.ended is None or rng.random() > RETURN:
        return [first]
    again = _contract(rng, person, 2, first.ended + rng.uniform(45, 150))
    if again.started >= DAYS - 1:
        return [first]
    _live(rng, person, again)
    return [first, again]


def _contract(rng: Random, person: Person, number: int, start: float) -> Contract:
    plan, price = PLANS[min(2, int(person.size / 2))]
    interval, months, cheaper, _ = rng.choices(INTERVALS, [share for *_, share in INTERVALS])[0]
    quantity = max(1, round(person.size / 2)) if person.is_company else 1
    amount = Decimal(round(price * months * cheaper)) * quantity
    return Contract(f"{person.key}-{number}", plan, quantity, amount, interval, months, waking(rng, start))


def _live(rng: Random, person: Person, contract: Contract) -> None:
    """Go through the contract's months until it ends or the span does."""
    drifting = 0
    day = contract.started + MONTH
    while day < DAYS:
        drifting = _drift(rng, person, drifting)
        if drifting:
            contract.drifts.append((day, day + MONTH))
        if rng.random() < (LEAVE, LEAVE_FIRST_DRIFTING, LEAVE_DRIFTING)[min(drifting, 2)]:
            contract.ended = waking(rng, day + rng.uniform(0.8, 1) * (MONTH - 1))
            if contract.ended >= DAYS:
                contract.ended = None
            else:
                contract.reason = rng.choice(REASONS)
            return
        day += MONTH


def _drift(rng: Random, person: Person, drifting: int) -> int:
    """For how many months the person has been drifting now."""
    if drifting:
        return 0 if rng.random() < RECOVER else drifting + 1
    return int(rng.random() < DRIFT * exp(-0.7 * person.satisfaction))
