"""When a subscription renews: whole weeks, months, quarters or years on, as the workspace's calendar counts them."""

from calendar import monthrange
from datetime import datetime, timedelta, tzinfo

from customers.models import Interval

MONTHS = {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}


def later(instant: datetime, interval: str, count: int, zone: tzinfo, day: int = 0) -> datetime:
    """`instant` plus so many intervals, at the same time of day in `zone`.

    `day` is the day of the month that is meant where a short month has cut it: 31 January, 28 February, 31 March.
    """
    local = instant.astimezone(zone)
    if interval == Interval.WEEK:
        return local + timedelta(weeks=count)
    years, month = divmod(local.month - 1 + count * MONTHS[Interval(interval)], 12)
    year, month = local.year + years, month + 1
    return local.replace(year=year, month=month, day=min(max(day, local.day), monthrange(year, month)[1]))


def renewal_after(start: datetime, now: datetime, interval: str, count: int, zone: tzinfo) -> datetime:
    """The first renewal after `now` of what began at `start`."""
    day, due = start.astimezone(zone).day, start
    while due <= now:
        due = later(due, interval, count, zone, day)
    return due
