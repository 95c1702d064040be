"""Putting work off: never past the day it is about."""

from datetime import datetime, timedelta, tzinfo

from customers.work.working_days import end_of_work

#: For how many days, and how that is called.
DAYS = {1: "Tomorrow", 3: "In 3 days", 7: "In a week", 30: "In a month"}


def until(days: int, now: datetime, zone: tzinfo, deadline: datetime | None) -> datetime:
    """When work on that day ends, or the deadline where that comes first."""
    wanted = end_of_work((now.astimezone(zone) + timedelta(days=days)).date(), zone)
    return min(wanted, deadline) if deadline and deadline > now else wanted


def offered(now: datetime, zone: tzinfo, deadline: datetime | None) -> dict[int, str]:
    """What of DAYS is over before the deadline; all of it where there is none to come."""
    if deadline is None or deadline <= now:
        return DAYS
    return {days: name for days, name in DAYS.items() if until(days, now, zone, deadline) != deadline}
