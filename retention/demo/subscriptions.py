"""Subscriptions: a machine-care plan with an app. Planted: who is about to leave uses it less first.

Month by month a subscriber may begin to drift: usage falls to a third. Some come back from it; of the others four in
ten leave in each later month. Without drifting hardly anybody leaves. The unhappy drift more.
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
REASONS = ("Too expensive", "Not using it enough", "Moved to another supplier", "Closed down", "")


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
