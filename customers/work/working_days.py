"""Working days: Monday to Friday, in the workspace's zone. Public holidays are not known."""

from datetime import date, datetime, time, timedelta, tzinfo

SATURDAY = 5
END_OF_WORK = time(17)


def end_of_work(day: date, zone: tzinfo) -> datetime:
    """The instant at which work on a day of `zone` ends."""
    return datetime.combine(day, END_OF_WORK, tzinfo=zone)


def still_today(now: datetime, zone: tzinfo) -> datetime:
    """The end of work today, or where that is over, on the next working day."""
    today = end_of_work(now.astimezone(zone).date(), zone)
    return today if now < today else end_of_work(after(now, 1, zone).date(), zone)


def after(start: datetime, days: int, zone: tzinfo) -> datetime:
    """The same time of day, `days` ≥ 1 working days later; from a weekend the first one is Monday."""
    moment = start.astimezone(zone)
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < SATURDAY
    return moment
