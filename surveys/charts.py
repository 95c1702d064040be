"""Shapes of the survey pages' drawings, in the units of their SVG view boxes. Words and numbers stand beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from surveys.reading import Month
from surveys.scoring import Nps

TREND_WIDTH, TREND_HEIGHT = 600, 160


@dataclass(frozen=True)
class Part:
    """A part of the distribution bar: from `x` on, `width` wide, of 100."""

    group: str
    x: float
    width: float


def bar(nps: Nps) -> list[Part]:
    """Detractors, passives, promoters by weight, from left to right."""
    detractors = 100 * (nps.detractor_share or 0)
    promoters = 100 * (nps.promoter_share or 0)
    return [
        Part("detractor", 0, detractors),
        Part("passive", detractors, 100 - detractors - promoters),
        Part("promoter", 100 - promoters, promoters),
    ]


@dataclass(frozen=True)
class Column:
    """One score's column: its height of 100 for the most frequent score."""

    score: int
    count: int
    group: str
    height: float

    @property
    def top(self) -> float:
        return 100 - self.height


def columns(counts: Sequence[int]) -> list[Column]:
    most = max(counts) or 1
    groups = 7 * ["detractor"] + 2 * ["passive"] + 2 * ["promoter"]
    return [
        Column(score, count, group, 100 * count / most)
        for score, (count, group) in enumerate(zip(counts, groups, strict=True))
    ]


@dataclass(frozen=True)
class Point:
    """A month with answers, and the 95 % interval around it."""

    month: Month
    x: float
    y: float
    low_y: float
    high_y: float


def points(months: Sequence[Month]) -> list[Point]:
    step = TREND_WIDTH / len(months)
    return [_point(month, (place + 0.5) * step) for place, month in enumerate(months) if month.nps.score is not None]


def _point(month: Month, x: float) -> Point:
    score, margin = month.nps.score or 0, month.nps.margin or 0
    return Point(month, x, _y(score), _y(max(-100, score - margin)), _y(min(100, score + margin)))


def _y(score: float) -> float:
    """−100 lies at the bottom, 100 at the top."""
    return TREND_HEIGHT * (100 - score) / 200
