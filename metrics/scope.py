"""What a report covers: a window, a segment, and the workspace's way of counting."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Self

from django.db.models import QuerySet

from customers.models import Segment, SegmentMembership
from metrics.windows import DEFAULT_PRESET, BadWindow, Window, parse, preset
from retention.common import clock
from retention.workspace.models import Basis, Workspace

BASIS_WORDS = {
    Basis.CONTRACTUAL: "a subscription in force up to that instant",
    Basis.ORDERS: "an order, not cancelled or refunded, in the {days} days before",
    Basis.USAGE: "a usage event in the {days} days before",
}


class BadScope(Exception):
    """What was asked for cannot be reported; the text says why."""


@dataclass(frozen=True)
class Scope:
    """A segment limits every figure to the customers in it now: before a segment existed nobody was in it, so its
    membership in the past would leave most windows empty."""

    window: Window
    now: datetime
    basis: Basis
    activity_days: int
    currency: str
    margin: float
    segment: Segment | None = None

    @property
    def zone(self) -> tzinfo:
        return self.window.zone

    @property
    def active_means(self) -> str:
        return BASIS_WORDS[self.basis].format(days=self.activity_days)

    @property
    def whom(self) -> dict[str, str]:
        """The segment as a query string says it."""
        return {"segment": str(self.segment.pk)} if self.segment else {}

    @property
    def query(self) -> dict[str, str]:
        """The scope as a query string says it."""
        return {"from": self.window.first.isoformat(), "to": self.window.until.isoformat(), **self.whom}

    def end_of(self, window: Window) -> datetime:
        """When the window ends; now, where it has not ended: nobody has left before their time to stay was over."""
        return min(window.end, self.now)

    @property
    def unfinished(self) -> str:
        """What to know about a window that has not ended, as a sentence; empty where it has."""
        return "The window has not ended: it is counted up to now." if self.now < self.window.end else ""

    def over(self, window: Window) -> Self:
        return replace(self, window=window)

    def members(self) -> QuerySet[SegmentMembership, Any] | None:
        """The customers it is limited to, or None where it takes all."""
        if self.segment is None:
            return None
        present = SegmentMembership.objects.filter(segment=self.segment, left_at__isnull=True)
        return present.values("customer_id")


def read_scope(query: Mapping[str, str], workspace: Workspace, default: Window | None = None) -> Scope:
    """The scope that a query string (`from` and `to`, or `window`, and `segment`) asks for.

    Without a window it is the default, or the last 90 days. Raises BadScope or BadWindow with a sentence for the
    person who asked.
    """
    now = clock.now()
    window = _window(query, workspace.zone, now, default)
    if window.start > now:
        raise BadWindow("The window has not begun yet, so there is nothing to count.")
    return Scope(
        window=window,
        now=now,
        basis=Basis(workspace.basis),
        activity_days=workspace.activity_window,
        currency=workspace.currency,
        margin=float(workspace.margin_share) / 100,
        segment=_segment(query.get("segment", "")),
    )


def _window(query: Mapping[str, str], zone: tzinfo, now: datetime, default: Window | None) -> Window:
    first, until, named = (query.get(key, "") for key in ("from", "to", "window"))
    if bool(first) != bool(until):
        raise BadWindow("Give both dates, or neither.")
    if first:
        return parse(first, until, zone)
    return preset(named or DEFAULT_PRESET, now, zone) if named or default is None else default


def _segment(key: str) -> Segment | None:
    """By id, or by name as the command line gives it."""
    if not key:
        return None
    by = {"pk": int(key)} if key.isdecimal() and len(key) < 10 else {"name": key}
    found = Segment.objects.filter(**by).first()
    if found is None:
        raise BadScope(f"There is no segment {key}.")
    return found
