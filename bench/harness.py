"""Races: the product and the bare work below it, in one run, by turns, as a ratio of medians.

Absolute times move with the machine and with what else it does; the ratio of two things measured by turns hardly does.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from django.db import connection

ROUNDS = 5


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Race:
    """Something we do, and its floor. `prepare` and `prepare_floor` are run before each and not measured.

    `goal` is the ratio not to be passed; `units` how much one round does, to tell a rate.
    """

    name: str
    floor_name: str
    ours: Callable[[], object]
    floor: Callable[[], object]
    goal: float
    units: int
    prepare: Callable[[], object] = _nothing
    prepare_floor: Callable[[], object] = _nothing


@dataclass(frozen=True)
class Outcome:
    """Seconds of each round."""

    race: Race
    ours: list[float]
    floor: list[float]

    @property
    def ratio(self) -> float:
        return median(self.ours) / median(self.floor)

    def row(self) -> str:
        """A row of the table of docs/benchmarks.md."""
        race, ours, floor = self.race, median(self.ours), median(self.floor)
        return (
            f"| {race.name} | {ours:.3f} s ({race.units / ours:,.0f}/s) | {race.floor_name} | {floor:.3f} s"
            f" | **{self.ratio:.2f}** | {race.goal:g} |"
        )


HEAD = "| work | ours | floor | floor's time | ratio | goal at most |\n|---|---|---|---|---|---|"


def run(race: Race, rounds: int = ROUNDS) -> Outcome:
    """Measure by turns; which goes first changes from round to round."""
    ours: list[float] = []
    floor: list[float] = []
    turns = [(race.prepare, race.ours, ours), (race.prepare_floor, race.floor, floor)]
    for place in range(rounds):
        for prepare, work, times in turns if place % 2 else reversed(turns):
            prepare()
            times.append(_seconds(work))
    return Outcome(race, ours, floor)


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@contextmanager
def database() -> Iterator[None]:
    """An empty database of our own with every table, on the server that the settings name; dropped afterwards."""
    before = str(connection.settings_dict["NAME"])
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
