"""A figure: a value that carries its name, its parts and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import hypot, isclose
from typing import Any

from metrics.definition import Definition, Good, Unit
from metrics.inference import Interval
from metrics.windows import Window

SMALL = 30
Number = int | float | Decimal


@dataclass(frozen=True)
class Tally:
    """How many customers are behind a part of a figure and, where the part is money, how much it is."""

    key: str
    label: str
    customers: int
    amount: Decimal | None = None

    @property
    def size(self) -> float:
        """What it counts for in its figure: its amount where it has one, else its customers."""
        return float(self.customers if self.amount is None else self.amount)

    def as_dict(self) -> dict[str, Any]:
        return {"part": self.key, "label": self.label, "customers": self.customers, "amount": self.amount}


@dataclass(frozen=True)
class Figure:
    """`value` is None where there is nothing to measure: `nothing` then says so. Shares are 0–1.

    `excluded` is what the figure leaves out, `beside` what belongs next to it. `rests_on` is the number of customers
    that decides how sure it is, where that is not its denominator. `goes_on`: its window has not ended.
    """

    definition: Definition
    window: Window
    value: Number | None
    numerator: Tally | None = None
    denominator: Tally | None = None
    excluded: tuple[Tally, ...] = ()
    beside: tuple[Tally, ...] = ()
    interval: Interval | None = None
    basis: str = ""
    segment: str = ""
    note: str = ""
    currency: str = ""
    query: str = ""
    rests_on: int | None = None
    goes_on: bool = False

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def period(self) -> str:
        return str(self.window)

    @property
    def small(self) -> bool:
        """Over fewer than 30 customers. A count of customers is over nobody but itself."""
        over = self.denominator or self.numerator
        customers = self.rests_on if over is None else over.customers
        told = self.value is not None and self.definition.unit not in (Unit.CUSTOMERS, Unit.TIMES)
        return told and customers is not None and customers < SMALL

    @property
    def divides(self) -> bool:
        """Whether it is its numerator by its denominator, and no more is done with them."""
        if self.value is None or self.numerator is None or self.denominator is None or not self.denominator.size:
            return False
        return isclose(self.numerator.size / self.denominator.size, self.value)

    @property
    def parts(self) -> tuple[Tally, ...]:
        own = (part for part in (self.numerator, self.denominator) if part)
        return (*own, *self.beside, *self.excluded)

    def as_dict(self) -> dict[str, Any]:
        """As exported. The same for the page's JSON and the command's."""
        return {
            "figure": self.name,
            "label": self.definition.label,
            "definition_version": self.definition.version,
            "period": self.period,
            "segment": self.segment or None,
            "basis": self.basis or None,
            "unit": self.definition.unit.value,
            "currency": self.currency if self.definition.unit is Unit.MONEY else None,
            "value": self.value,
            "says": None if self.value is not None else self.definition.nothing,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
            "small": self.small,
            "numerator": self.numerator and self.numerator.as_dict(),
            "denominator": self.denominator and self.denominator.as_dict(),
            "excluded": [part.as_dict() for part in self.excluded],
            "beside": [part.as_dict() for part in self.beside],
        }


class Kind:
    """How a change is said."""

    POINTS_OF_PERCENT = "pp"
    PERCENT = "%"
    POINTS = "points"


@dataclass(frozen=True)
class Change:
    """From an earlier figure to a later one: shares in percentage points, scores in points, all else in per cent.

    `clear`: larger than chance alone would make it. What is within chance is neither good nor bad.
    """

    value: float
    kind: str
    since: str
    good: bool | None
    clear: bool = True

    def as_dict(self) -> dict[str, Any]:
        found = {"value": self.value, "unit": self.kind, "since": self.since, "good": self.good}
        return {**found, "within_chance": not self.clear}


def change(earlier: Figure, later: Figure) -> Change | None:
    """None where either has no value, where a percentage would be of nothing, and while the window goes on: less of it
    has passed than of the one before."""
    if earlier.value is None or later.value is None or later.goes_on:
        return None
    difference = float(later.value) - float(earlier.value)
    unit = later.definition.unit
    if unit is Unit.SHARE:
        value, kind = 100 * difference, Kind.POINTS_OF_PERCENT
    elif unit is Unit.POINTS:
        value, kind = difference, Kind.POINTS
    elif not earlier.value:
        return None
    else:
        value, kind = 100 * difference / abs(float(earlier.value)), Kind.PERCENT
    clear = _is_clear(earlier, later)
    return Change(value, kind, earlier.period, _is_good(value, later.definition.good) if clear else None, clear)


def _is_clear(earlier: Figure, later: Figure) -> bool:
    """Whether the difference is larger than its own 95 % margin, the two taken as independent. What counts everybody
    has neither interval nor margin; a score without an interval rests on too few."""
    ends = (earlier.interval, later.interval)
    if ends == (None, None):
        return later.definition.unit is not Unit.POINTS
    if ends[0] is None or ends[1] is None:
        return False
    margin = hypot(*((each.high - each.low) / 2 for each in ends if each))
    return abs(float(later.value or 0) - float(earlier.value or 0)) > margin


def _is_good(value: float, good: Good) -> bool | None:
    """None where it makes no difference, also to the one decimal that is shown."""
    if not round(value, 1) or good is Good.NEITHER:
        return None
    return (value > 0) == (good is Good.UP)


@dataclass(frozen=True)
class Tile:
    """A figure as the overview shows it: with its change, and over this window and at least one before it."""

    figure: Figure
    trend: tuple[Figure, ...]

    @property
    def before(self) -> Figure:
        """Over the window before."""
        return self.trend[-2]

    @property
    def change(self) -> Change | None:
        return change(self.before, self.figure)

    def as_dict(self) -> dict[str, Any]:
        moved = self.change
        points = [{"period": point.period, "value": point.value} for point in self.trend]
        return {**self.figure.as_dict(), "change": moved and moved.as_dict(), "trend": points}


def tile(trend: Sequence[Figure]) -> Tile:
    return Tile(trend[-1], tuple(trend))
