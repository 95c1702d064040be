"""Coordinates of the small drawings that templates write as SVG, and the data of the charts that a script draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metrics.definition import Unit
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


def waterfall(steps: Sequence[tuple[int, Number]]) -> list[Bar]:
    """Bars for (sign, size) pairs; a sign of 0 is a sum that begins at 0."""
    sizes = [(sign, float(size)) for sign, size in steps]
    widest = max((size for sign, size in sizes if not sign), default=0.0)
    top, spans = 0.0, []
    for sign, size in sizes:
        before, top = (0.0, size) if not sign else (top, top + sign * size)
        spans.append((min(before, top), max(before, top)))
        widest = max(widest, top)
    return [
        Bar(round(1_000 * low / (widest or 1), 1), round(1_000 * (high - low) / (widest or 1), 1))
        for low, high in spans
    ]


COLUMN, GAP, RISE, HEAD = 92, 18, 200, 24


@dataclass(frozen=True)
class Column:
    """A step of a waterfall that stands upright: a rectangle, and the middle above and below which its words go."""

    x: float
    y: float
    height: float
    middle: float

    @property
    def width(self) -> int:
        return COLUMN

    @property
    def above(self) -> float:
        return round(self.y - 7, 1)


@dataclass(frozen=True)
class Link:
    """A thin line from one column to the next, at the level that the one hands on to the other."""

    x1: float
    x2: float
    y: float


@dataclass(frozen=True)
class Waterfall:
    """A drawing, as wide and high as it says, below whose columns there is room for their names."""

    columns: list[Column]
    links: list[Link]
    base: float = HEAD + RISE

    @property
    def width(self) -> int:
        return len(self.columns) * (COLUMN + GAP) - GAP

    @property
    def height(self) -> int:
        return HEAD + RISE + HEAD


def upright(steps: Sequence[tuple[int, Number]]) -> Waterfall:
    """A waterfall's steps as columns from left to right, each beginning where the one before it ended."""
    found, links, level = [], [], 0.0
    for i, ((sign, _), bar) in enumerate(zip(steps, waterfall(steps), strict=True)):
        x, height = i * (COLUMN + GAP), bar.width * RISE / 1_000
        top = HEAD + RISE - (bar.x + bar.width) * RISE / 1_000
        if i:
            links.append(Link(x - GAP, x, round(level, 1)))
        found.append(Column(x, round(top, 1), round(max(height, 1), 1), x + COLUMN / 2))
        level = top + height if sign < 0 else top
    return Waterfall(found, links)


def stacked(sizes: Sequence[int]) -> list[Bar]:
    """The sizes beside one another as pieces of one bar."""
    whole, x, bars = sum(sizes) or 1, 0, []
    for size in sizes:
        bars.append(Bar(round(1_000 * x / whole, 1), round(1_000 * size / whole, 1)))
        x += size
    return bars


@dataclass(frozen=True)
class IntervalPlot:
    """Where value, interval and 0 lie from left to right, as SVG lengths in per cent."""

    low: str
    value: str
    high: str
    zero: str


def interval_plot(value: Number | None, interval: Interval | None) -> IntervalPlot | None:
    """One scale that holds the interval and 0; None where either is missing."""
    if value is None or interval is None:
        return None
    low, high = min(0.0, interval.low), max(0.0, interval.high)
    edge = (high - low or 1) * 0.08
    left, width = low - edge, high - low + 2 * edge

    def across(place: float) -> str:
        return f"{100 * (place - left) / width:.2f}%"

    return IntervalPlot(across(interval.low), across(float(value)), across(interval.high), across(0))


@dataclass(frozen=True)
class Ranged:
    """A bar with its interval, each as far as it reaches, in thousandths of the furthest."""

    value: float
    low: float
    high: float


def ranged(figures: Sequence[Figure]) -> list[Ranged]:
    """Shares on one scale."""
    ends = [each.interval or Interval(0.0, 0.0) for each in figures]
    furthest = max((end.high for end in ends), default=0.0) or 1.0

    def reach(value: float) -> float:
        return round(1_000 * value / furthest, 1)

    return [
        Ranged(reach(float(each.value or 0)), reach(end.low), reach(end.high))
        for each, end in zip(figures, ends, strict=True)
    ]


@dataclass(frozen=True)
class Chart:
    """A figure over windows, oldest first, as static/js/charts.js draws it and as a table beside it."""

    trend: Sequence[Figure]

    @property
    def points(self) -> Sequence[Figure]:
        """From the first window that has a value, or the last two."""
        known = (i for i, point in enumerate(self.trend) if point.value is not None)
        return self.trend[min(next(known, len(self.trend)), len(self.trend) - 2) :]

    @property
    def id(self) -> str:
        return f"chart-{self.points[-1].name}"

    @property
    def title(self) -> str:
        by = "month" if all(point.window.months == 1 for point in self.points) else "window"
        return f"{self.points[-1].definition.label} by {by}, {self.unit}"

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
            "labels": [point.window.label for point in self.points],
            "values": [_times(point.value, factor) for point in self.points],
            "low": [_times(end.low if end else None, factor) for end in ends],
            "high": [_times(end.high if end else None, factor) for end in ends],
        }


def _times(value: Number | None, factor: int) -> float | None:
    return None if value is None else factor * float(value)
