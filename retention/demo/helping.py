"""Help: cases that customers open. Planted: the unhappy open more of them and rate the help lower.

The last days' cases are still open, some of them without an answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from random import Random

from retention.demo.people import Person
from retention.demo.span import DAYS, waking

A_YEAR = 0.55
SUBJECTS = (
    "The grinder is loud",
    "Delivery came a day late",
    "Cups were damaged",
    "How do I descale the machine?",
    "The invoice has the wrong address",
    "The app shows no service dates",
    "Beans taste different from last time",
    "Can we have a second machine on trial?",
    "The machine shows error 17",
    "Please change our delivery day",
)
PRIORITIES = (("low", 20), ("normal", 55), ("high", 20), ("urgent", 5))
ANSWER_HOURS, RESOLVE_DAYS, RATED = 20.0, 2.5, 0.55


@dataclass(frozen=True)
class Request:
    """A case: days of the span at which it was opened, answered, resolved; None where that is still to come."""

    subject: str
    priority: str
    opened: float
    answered: float | None
    resolved: float | None
    rating: int | None


def requests(person: Person) -> list[Request]:
    """What a person asked for help with, in order of time; their own key decides."""
    return list(_requests(Random(f"help {person.key}"), person))  # noqa: S311 - a simulation


def _requests(rng: Random, person: Person) -> Iterator[Request]:
    pace = A_YEAR * exp(-0.6 * person.satisfaction) * min(3.0, person.size)
    day = person.joined + rng.expovariate(pace / 365)
    while day < DAYS - 0.5:
        opened = waking(rng, day)
        answered = _by_now(opened + rng.expovariate(24 / ANSWER_HOURS))
        resolved = _by_now(opened + 0.3 + rng.expovariate(1 / RESOLVE_DAYS))
        answered = min(answered, resolved) if answered and resolved else answered
        rated = resolved is not None and rng.random() < RATED
        rating = max(1, min(5, round(4.1 + 0.7 * person.satisfaction + rng.gauss(0, 0.8)))) if rated else None
        priority = rng.choices([name for name, _ in PRIORITIES], [share for _, share in PRIORITIES])[0]
        yield Request(rng.choice(SUBJECTS), priority, opened, answered, resolved, rating)
        day = opened + rng.expovariate(pace / 365)


def _by_now(day: float) -> float | None:
    return day if day < DAYS else None
