"""Windows of time: half-open spans of whole days in the workspace's zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Self


class BadWindow(Exception):
    """The dates are no window; the text says why, for the person who gave them."""


def month_of(day: date) -> date:
    return day.replace(day=1)


def add_months(month: date, count: int) -> date:
    """The first of the month `count` months after `month`, which is a first."""
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)


def months_between(earlier: date, later: date) -> int:
    """Whole months from one first of a month to another."""
    return 12 * (later.year - earlier.year) + later.month - earlier.month


def midnight(day: date, zone: tzinfo) -> datetime:
    """The instant at which `day` begins in `zone`."""
    return datetime.combine(day, time(), zone)


@dataclass(frozen=True)
class Window:
    """`[first, until)`: the days from `first` up to, not including, `until`, as `zone` counts them."""

    first: date
    until: date
    zone: tzinfo

    def __post_init__(self) -> None:
        if self.first >= self.until:
            raise BadWindow("The window must end after it begins.")

    @property
    def start(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return midnight(self.until, self.zone)

    @property
    def last(self) -> date:
        """The last day inside."""
        return self.until - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.until - self.first).days

    @property
    def months(self) -> int:
        """How many calendar months it is made of, 0 where it is not made of whole ones."""
        return months_between(self.first, self.until) if self.first.day == self.until.day == 1 else 0

    def before(self) -> Self:
        """The window of the same length that ends where this one begins: as many whole months, else as many days."""
        first = add_months(self.first, -self.months) if self.months else self.first - timedelta(days=self.days)
        return type(self)(first, self.first, self.zone)

    def series(self, count: int) -> list[Self]:
        """This window and those before it, oldest first."""
        windows = [self]
        while len(windows) < count:
            windows.append(windows[-1].before())
        return windows[::-1]

    def inside(self, most: int) -> list[Self]:
        """The whole months inside, oldest first, the last `most` of them."""
        first = self.first if self.first.day == 1 else add_months(month_of(self.first), 1)
        count = months_between(first, month_of(self.until))
        starts = [add_months(first, i) for i in range(max(0, count - most), count)]
        return [type(self)(start, add_months(start, 1), self.zone) for start in starts]

    @property
    def label(self) -> str:
        """Short, by its beginning, for an axis."""
        return f"{self.first:%b %Y}" if self.months == 1 else _day(self.first)

    def __str__(self) -> str:
        return f"{_day(self.first)} to {_day(self.last)}" if self.days > 1 else _day(self.first)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def parse(first: str, until: str, zone: tzinfo) -> Window:
    """A window from two ISO dates. Raises BadWindow."""
    try:
        window = Window(date.fromisoformat(first), date.fromisoformat(until), zone)
    except ValueError as error:
        raise BadWindow("Dates are written as 2026-01-31.") from error
    if not 1970 <= window.first.year <= window.until.year <= 2200:
        raise BadWindow("The window must lie between 1970 and 2200.")
    return window


def last_days(count: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (today - timedelta(days=count), today)


def last_months(count: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (add_months(month_of(today), -count), month_of(today))


def _last_quarter(today: date) -> tuple[date, date]:
    until = month_of(today).replace(month=today.month - (today.month - 1) % 3)
    return add_months(until, -3), until


# Each ends at a past midnight, so that no window holds half a day.
PRESETS: dict[str, tuple[str, Callable[[date], tuple[date, date]]]] = {
    "30d": ("Last 30 days", last_days(30)),
    "90d": ("Last 90 days", last_days(90)),
    "365d": ("Last 365 days", last_days(365)),
    "month": ("Last full month", last_months(1)),
    "quarter": ("Last full quarter", _last_quarter),
    "12m": ("Last 12 full months", last_months(12)),
}
DEFAULT_PRESET = "90d"


def preset(name: str, now: datetime, zone: tzinfo) -> Window:
    """A window named in PRESETS, as of `now`. Raises BadWindow for another name."""
    if name not in PRESETS:
        raise BadWindow(f"There is no window called {name}.")
    first, until = PRESETS[name][1](now.astimezone(zone).date())
    return Window(first, until, zone)
