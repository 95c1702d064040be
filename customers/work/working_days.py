"""Working days: Monday to Friday, in the workspace's zone. Public holidays are not known."""

from datetime import datetime, timedelta, tzinfo

SATURDAY = 5


def after(start: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time of day, `days` ≥ 1 working days later; from a weekend the first one is Monday."""
    moment = start.astimezone(zone)
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < SATURDAY
    return moment
