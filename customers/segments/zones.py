"""Whose midnight: the zone of a customer as SQL, and where a day has begun between two moments."""

import zoneinfo
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import cache

from customers.segments.operators import Moment, Sql

# What is no zone that the database knows counts as none: a refresh of everybody must not fail on it.
_ZONE = """CASE WHEN {zone} LIKE '%%/%%' AND pg_input_is_valid('2000-01-01 00:00 ' || {zone}, 'timestamptz')
    THEN {zone} ELSE %s END"""


def of_customer(workspace: tzinfo) -> Sql:
    """The zone of the customer `c`; the workspace's where theirs is not known."""
    return Sql(_ZONE.replace("{zone}", "c.time_zone"), (str(workspace),))


def of_row(workspace: tzinfo) -> Sql:
    """The zone of the customer whom the related row `r` belongs to."""
    zone = _ZONE.replace("{zone}", "z.time_zone")
    return Sql(f"(SELECT {zone} FROM customers_customer z WHERE z.id = r.customer_id)", (str(workspace),))  # noqa: S608


@dataclass(frozen=True)
class Turn:
    """A midnight between two moments: what was today before it and is after it, and in which zones it was.

    `zones` is empty where there is only one.
    """

    days: tuple[date, ...]
    zones: Sql | None = None

    def only(self, test: Sql) -> Sql:
        """The test, of those alone for whom a day has begun."""
        if self.zones is None:
            return test
        return Sql(f"({test.text}) AND {self.zones.text}", (*test.params, *self.zones.params))


def turn(low: Moment, high: Moment) -> Turn | None:
    """The midnights between two moments, None where no day has begun."""
    if high.local is None:
        return None if low.today == high.today else Turn((low.today, high.today))
    turned = {name: days for name, zone in _zones().items() if (days := _days(zone, low, high))}
    if not turned:
        return None
    seen = sorted({day for pair in turned.values() for day in pair})
    return Turn(tuple(seen), Sql(f"{high.local.text} = ANY(%s)", (*high.local.params, sorted(turned))))


def _days(zone: tzinfo, low: Moment, high: Moment) -> tuple[date, date] | None:
    before, after = low.today_in(zone), high.today_in(zone)
    return None if before == after else (before, after)


@cache
def _zones() -> dict[str, zoneinfo.ZoneInfo]:
    """Every zone by name, kept: each would be read from its file again."""
    return {name: zoneinfo.ZoneInfo(name) for name in sorted(zoneinfo.available_timezones())}
