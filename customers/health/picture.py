"""The history of a score as a line of steps, in SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from customers.models import HealthChange, HealthSettings

WIDTH, HEIGHT, MARGIN = 480, 160, 8
SPAN = timedelta(days=365)
SHORTEST = timedelta(days=7)


@dataclass(frozen=True)
class Dot:
    """A change: where it is in the picture, and what it came to."""

    x: float
    y: float
    change: HealthChange


@dataclass(frozen=True)
class Picture:
    """`line` is an SVG path; `good` and `watch` are the heights at which bands begin."""

    line: str
    dots: list[Dot]
    good: float
    watch: float
    since: datetime
    width: int = WIDTH
    height: int = HEIGHT


def drawn(changes: Sequence[HealthChange], settings: HealthSettings, now: datetime) -> Picture | None:
    """The year up to now, or less; None where the score has not changed yet. The changes come the last first."""
    if len(changes) < 2:
        return None
    since = max(now - SPAN, min(changes[-1].at, now - SHORTEST))

    def x(at: datetime) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * max(0.0, (at - since) / (now - since)), 1)

    def y(score: int) -> float:
        return round(MARGIN + (HEIGHT - 2 * MARGIN) * (100 - score) / 100, 1)

    ends = [now, *(change.at for change in changes)]
    steps: list[str] = []
    for change, until in reversed(list(zip(changes, ends, strict=False))):
        if change.score is not None and until > since:
            joins = steps and steps[-1].endswith(f"H{x(change.at)}")
            steps.append(f"{'V' + str(y(change.score)) if joins else f'M{x(change.at)} {y(change.score)}'}H{x(until)}")
    dots = [Dot(x(each.at), y(each.score), each) for each in changes if each.score is not None and each.at >= since]
    return Picture("".join(steps), dots, y(settings.good_from), y(settings.watch_from), since)
