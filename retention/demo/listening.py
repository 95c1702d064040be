"""Listening: everybody is asked twice a year how likely they are to recommend. Planted: detractors leave more often.

A score comes from the satisfaction that also decides about drifting, and whoever drifts already gives two points less.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from retention.demo.buying import Purchase
from retention.demo.people import Person
from retention.demo.span import DAYS, waking
from retention.demo.subscriptions import Contract

FIRST_ASKED, EVERY = 45, 182
ANSWER, BOUNCE, WITH_COMMENT = 0.38, 0.02, 0.6
QUIET_AFTER = 150  # days without an order or a subscription: not asked any more
WHY = {
    "promoter": (
        "Fresh beans, always on time.",
        "The app told us to descale before the machine broke. Brilliant.",
        "Alma sorted our grinder out the same day.",
        "Good coffee, fair prices, nice people.",
        "Ordering takes a minute.",
        "Our guests ask where the coffee is from.",
    ),
    "passive": (
        "Fine, but delivery could be quicker.",
        "Good coffee. The app is a bit slow.",
        "I would like more choice of decaf.",
        "Happy on the whole, the prices went up a little.",
        "Does what it should.",
    ),
    "detractor": (
        "The last two deliveries came late, and nobody told us.",
        "Prices went up twice this year.",
        "I waited a week for a spare part.",
        "The invoice was wrong again.",
        "We hardly use the app, it does not fit how we work.",
        "Beans were stale this time.",
        "Nobody answers the phone.",
    ),
}


@dataclass(frozen=True)
class Ask:
    """One time a person was asked by e-mail: `answered` and `score` are None where they did not answer."""

    day: float
    bounced: bool
    answered: float | None = None
    score: int | None = None
    comment: str = ""


def asks(rng: Random, person: Person, contracts: list[Contract], bought: list[Purchase]) -> Iterator[Ask]:
    """The times a person was asked, in order."""
    if not person.agreed:
        return
    day = person.joined + FIRST_ASKED
    while day < DAYS - 1:
        if _is_customer(day, contracts, bought):
            yield _ask(rng, person, contracts, waking(rng, day))
        day += EVERY


def _is_customer(day: float, contracts: list[Contract], bought: list[Purchase]) -> bool:
    subscribes = any(each.started <= day and (each.ended is None or each.ended > day) for each in contracts)
    return subscribes or any(day - QUIET_AFTER < each.day <= day for each in bought)


def _ask(rng: Random, person: Person, contracts: list[Contract], day: float) -> Ask:
    bounced = rng.random() < BOUNCE
    answered = day + rng.expovariate(1 / 2)
    if bounced or rng.random() > ANSWER or answered >= min(DAYS, day + 30):
        return Ask(day, bounced)
    score = _score(rng, person, any(each.drifting(day) for each in contracts))
    group = "detractor" if score <= 6 else "passive" if score <= 8 else "promoter"
    comment = rng.choice(WHY[group]) if rng.random() < WITH_COMMENT else ""
    return Ask(day, bounced, answered, score, comment)


def _score(rng: Random, person: Person, drifting: bool) -> int:
    felt = 7.9 + 1.5 * person.satisfaction + rng.gauss(0, 1.1) - 2 * drifting
    return max(0, min(10, round(felt)))
