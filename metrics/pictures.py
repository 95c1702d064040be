"""Coordinates of the small drawings that templates write as SVG, and the data of the charts that a script draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metrics.definitions import Unit
from metrics.figures import Figure, Number
from metrics.inference import Interval

SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 96, 24, 3


@dataclass(frozen=True)
class Sparkline:
    """An SVG path, broken where there is no value, and where its last point is."""

    width: int
    height: int
    path: str
    last: tuple[float, float] | None


def sparkline(values: Sequence[Number | None]) -> Sparkline | None:
    """None where fewer than two points could be drawn."""
    known = [float(value) for value in values if value is not None]
    if len(known) < 2:
        return None
    low, high = min(known), max(known)
    step = (SPARK_WIDTH - 2 * SPARK_EDGE) / (len(values) - 1)

    def place(i: int, value: Number) -> tuple[float, float]:
        up = (float(value) - low) / (high - low) if high > low else 0.5
        return round(SPARK_EDGE + i * step, 1), round(
            SPARK_HEIGHT - SPARK_EDGE - up * (SPARK_HEIGHT - 2 * SPARK_EDGE), 1
        )

    points = [None if value is None else place(i, value) for i, value in enumerate(values)]
    path = " ".join(
        f"{'L' if i and points[i - 1] else 'M'}{point[0]} {point[1]}" for i, point in enumerate(points) if point
    )
    return Sparkline(SPARK_WIDTH, SPARK_HEIGHT, path, points[-1])


@dataclass(frozen=True)
class Bar:
    """A step of a waterfall: from `x` on, `width` wide, both in thousandths of the widest sum."""

    x: float
    width: float


def waterfall(sizes: Sequence[tuple[int, int]]) -> list[Bar]:
    """Bars for (sign, size) pairs; a sign of 0 is a sum that begins at 0."""
    widest = max((size for sign, size in sizes if not sign), default=0)
    top, spans = 0, []
    for sign, size in sizes:
        before, top = (0, size) if not sign else (top, top + sign * size)
        spans.append((min(before, top), max(before, top)))
        widest = max(widest, top)
    return [
        Bar(round(1_000 * low / (widest or 1), 1), round(1_000 * (high - low) / (widest or 1), 1))
        for low, high in spans
    ]


def stacked(sizes: Sequence[int]) -> list[Bar]:
    """The sizes beside one another as pieces of one bar."""
    whole, x, bars = sum(sizes) or 1, 0, []
    for size in sizes:
        bars.append(Bar(round(1_000 * x / whole, 1), round(1_000 * size / whole, 1)))
        x += size
    return bars


@dataclass(frozen=True)
class Whisker:
    """One row of an interval plot, in its units."""

    low: float
    high: float
    value: float


@dataclass(frozen=True)
class IntervalPlot:
    """Rows on one scale from 0 to 1,000 that holds 0; `zero` is where 0 lies."""

    rows: tuple[Whisker, ...]
    zero: float


def interval_plot(figures: Sequence[tuple[Number | None, Interval | None]]) -> IntervalPlot | None:
    """None where a value or an interval is missing."""
    known = [(float(value), interval) for value, interval in figures if value is not None and interval is not None]
    if not known or len(known) < len(figures):
        return None
    low = min(0.0, *(interval.low for _, interval in known))
    high = max(0.0, *(interval.high for _, interval in known))
    edge = (high - low or 1) * 0.06
    low, width = low - edge, high - low + 2 * edge

    def across(value: float) -> float:
        return round(1_000 * (value - low) / width, 1)

    rows = tuple(Whisker(across(i.low), across(i.high), across(value)) for value, i in known)
    return IntervalPlot(rows, across(0))


@dataclass(frozen=True)
class Chart:
    """A figure over windows, oldest first, as static/js/charts.js draws it and as a table beside it."""

    points: Sequence[Figure]

    @property
    def id(self) -> str:
        return f"chart-{self.points[-1].name}"

    @property
    def title(self) -> str:
        return f"{self.points[-1].definition.label} by window, {self.unit}"

    @property
    def unit(self) -> str:
        unit = self.points[-1].definition.unit
        return {Unit.SHARE: "%", Unit.MONEY: self.points[-1].currency, Unit.POINTS: "points"}.get(unit, "customers")

    @property
    def data(self) -> dict[str, Any]:
        """Shares become per cent; a window without data is a gap."""
        unit = self.points[-1].definition.unit
        factor = 100 if unit is Unit.SHARE else 1
        ends = [point.interval for point in self.points]
        return {
            "name": self.points[-1].definition.label,
            "unit": self.unit,
            "bars": unit is Unit.MONEY,
            "periods": [point.period for point in self.points],
            "values": [_times(point.value, factor) for point in self.points],
            "low": [_times(end.low if end else None, factor) for end in ends],
            "high": [_times(end.high if end else None, factor) for end in ends],
        }


def _times(value: Number | None, factor: int) -> float | None:
    return None if value is None else factor * float(value)
