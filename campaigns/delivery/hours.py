"""What time it is where a customer is: their day, and whether it is a quiet hour there."""

import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from retention.workspace.models import Workspace


@dataclass(frozen=True, slots=True)
class Local:
    """A customer's day, when the next one begins, and until when it is quiet (None: it is not)."""

    day: date
    next_day: datetime
    quiet_until: datetime | None


def local(zone_name: str, workspace: Workspace, now: datetime) -> Local:
    """The hours at `now` in the customer's zone; an empty or unknown zone is the workspace's."""
    zone = _zone(zone_name, workspace)
    there = now.astimezone(zone)
    midnight = datetime.combine(there.date() + timedelta(days=1), time(), tzinfo=zone)
    return Local(there.date(), midnight, _quiet_until(there, workspace.quiet_from, workspace.quiet_until))


def _zone(name: str, workspace: Workspace) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(name) if name else workspace.zone
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return workspace.zone


def _quiet_until(there: datetime, begins: time | None, ends: time | None) -> datetime | None:
    """The end of the quiet hours `there` falls into; they may reach over midnight."""
    if begins is None or ends is None or begins == ends:
        return None
    clock = there.time()
    if begins < ends:
        return _at(there, ends, 0) if begins <= clock < ends else None
    if clock >= begins:
        return _at(there, ends, 1)
    return _at(there, ends, 0) if clock < ends else None


def _at(there: datetime, clock: time, days: int) -> datetime:
    return datetime.combine(there.date() + timedelta(days=days), clock, tzinfo=there.tzinfo)
