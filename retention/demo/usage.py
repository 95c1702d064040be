"""Usage: what subscribers do in the app. Planted: while they drift, a third of it."""

from collections.abc import Iterator
from random import Random

from retention.demo.span import DAYS, waking
from retention.demo.subscriptions import Contract

WEEKLY, DRIFTING_SHARE = 3.2, 0.33
ACTIONS = ("Logged a service", "Opened the dashboard", "Ordered from the app", "Ran a cleaning programme")


def usage(rng: Random, contract: Contract) -> Iterator[tuple[float, str]]:
    """(day, what) of each use, in no order."""
    over = contract.ended if contract.ended is not None else DAYS
    pace = WEEKLY / 7 * rng.lognormvariate(0, 0.25)
    day = contract.started
    while True:
        day += rng.expovariate(pace)
        if day >= over:
            return
        if not contract.drifting(day) or rng.random() < DRIFTING_SHARE:
            at = waking(rng, day)
            if contract.started <= at < over:
                yield at, rng.choice(ACTIONS)
