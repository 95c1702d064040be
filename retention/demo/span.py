"""The time the demo tells of: 24 months up to today, counted in days from its start."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

DAYS = 730


@dataclass(frozen=True)
class Span:
    """Half-open: day 0 begins at `start`, and nothing happens at or after `end`, which is today's midnight (UTC)."""

    end: datetime

    @classmethod
    def until(cls, now: datetime) -> "Span":
        return cls(now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0))

    @property
    def start(self) -> datetime:
        return self.end - timedelta(days=DAYS)

    def instant(self, day: float) -> datetime:
        """The instant so many days after the start, to the second."""
        return self.start + timedelta(seconds=int(day * 86_400))


def waking(rng: Random, day: float) -> float:
    """The same day, at some time between 7 and 21 o'clock."""
    return int(day) + rng.uniform(7 / 24, 21 / 24)
