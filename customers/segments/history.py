"""How a segment has moved: who entered and left by day, and one customer's stays."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from customers.models import Segment, SegmentMembership
from customers.segments.operators import Moment

DAYS = 30
#: Units of the chart: one day's width, and the height above and below its middle line.
WIDTH, MIDDLE = 10, 48


@dataclass(frozen=True)
class Day:
    """One calendar day of the workspace's zone."""

    day: date
    entered: int
    left: int


@dataclass(frozen=True)
class Bar:
    """A day in the chart, whose middle line is at `MIDDLE`: entered stands on it, left hangs from it."""

    day: Day
    x: int
    up: int
    down: int

    @property
    def top(self) -> int:
        return MIDDLE - self.up


def _height(count: int, most: int) -> int:
    """To scale, and never invisible where there is something."""
    return max(2, round(MIDDLE * count / most)) if count else 0


@dataclass(frozen=True)
class Movement:
    """The last `DAYS` days, today last."""

    days: list[Day]

    @property
    def entered(self) -> int:
        return sum(day.entered for day in self.days)

    @property
    def left(self) -> int:
        return sum(day.left for day in self.days)

    @property
    def bars(self) -> list["Bar"]:
        most = max(1, *(max(day.entered, day.left) for day in self.days))
        return [
            Bar(day, WIDTH * number, _height(day.entered, most), _height(day.left, most))
            for number, day in enumerate(self.days)
        ]


def movement(segment: Segment, moment: Moment) -> Movement:
    """Two queries, each a range of an index."""
    today = moment.now.astimezone(moment.zone).date()
    first = today - timedelta(days=DAYS - 1)
    since = datetime.combine(first, time(), moment.zone)
    stays = SegmentMembership.objects.filter(segment=segment)
    entered = _by_day(stays.filter(entered_at__gte=since), "entered_at", moment)
    left = _by_day(stays.filter(left_at__gte=since), "left_at", moment)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return Movement([Day(day, entered.get(day, 0), left.get(day, 0)) for day in days])


def _by_day(stays: QuerySet[SegmentMembership], column: str, moment: Moment) -> dict[date, int]:
    days = stays.annotate(day=TruncDate(column, tzinfo=moment.zone)).values("day")
    return {row["day"]: row["count"] for row in days.annotate(count=Count("id"))}


def stays_of(segment: Segment, customer_id: int) -> QuerySet[SegmentMembership]:
    """A customer's stays in a segment, the latest first."""
    return SegmentMembership.objects.filter(segment=segment, customer=customer_id).order_by("-entered_at", "-id")
