"""What a report covers: a window, a segment, and the workspace's way of counting."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Self

from django.db.models import QuerySet

from customers.models import Customer, Segment, SegmentMembership
from metrics.windows import DEFAULT_PRESET, BadWindow, Window, parse, preset
from retention.common import clock
from retention.common.sent import whole
from retention.workspace.models import Basis, User, Workspace

BASIS_WORDS = {
    Basis.CONTRACTUAL: "a subscription in force up to that instant",
    Basis.ORDERS: "an order, not cancelled or refunded, in the {days} days before",
    Basis.USAGE: "a usage event in the {days} days before",
}


class BadScope(Exception):
    """What was asked for cannot be reported; the text says why."""


NOBODYS = "none"


@dataclass(frozen=True)
class Book:
    """The customers whom somebody looks after now, or nobody."""

    owner: User | None

    @property
    def name(self) -> str:
        return str(self.owner) if self.owner else "Nobody"

    @property
    def key(self) -> str:
        """As an address says it."""
        return str(self.owner.pk) if self.owner else NOBODYS


@dataclass(frozen=True)
class Scope:
    """A segment limits every figure to the customers in it now: before a segment existed nobody was in it, so its
    membership in the past would leave most windows empty. So does a book: who looked after whom before is not kept."""

    window: Window
    now: datetime
    basis: Basis
    activity_days: int
    currency: str
    margin: float
    segment: Segment | None = None
    book: Book | None = None

    @property
    def zone(self) -> tzinfo:
        return self.window.zone

    @property
    def active_means(self) -> str:
        return BASIS_WORDS[self.basis].format(days=self.activity_days)

    @property
    def whom(self) -> dict[str, str]:
        """Segment and book as a query string says them."""
        segment = {"segment": str(self.segment.pk)} if self.segment else {}
        return {**segment, **({"owner": self.book.key} if self.book else {})}

    @property
    def within(self) -> str:
        """Segment and book by their names; empty where there is neither."""
        return self._both("")

    @property
    def limited_to(self) -> str:
        """The same as a sentence has it."""
        return self._both("the segment ")

    def _both(self, kind: str) -> str:
        segment = f"{kind}{self.segment.name}" if self.segment else ""
        book = f"{self.book.name}’s book" if self.book else ""
        return " and ".join(filter(None, (segment, book)))

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

    def of(self, book: Book) -> Self:
        return replace(self, book=book)

    def members(self) -> QuerySet[Any, Any] | None:
        """The customers it is limited to, or None where it takes all."""
        if self.segment is None and self.book is None:
            return None
        present = SegmentMembership.objects.filter(segment=self.segment, left_at__isnull=True).values("customer_id")
        if self.book is None:
            return present
        owned = Customer.objects.filter(owner=self.book.owner)
        return (owned.filter(pk__in=present) if self.segment else owned).values("pk")


def read_scope(query: Mapping[str, str], workspace: Workspace, default: Window | None = None) -> Scope:
    """The scope that a query string (`from` and `to`, or `window`, `segment` and `owner`) asks for.

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
        book=_book(query.get("owner", "")),
    )


def _window(query: Mapping[str, str], zone: tzinfo, now: datetime, default: Window | None) -> Window:
    first, until, named = (query.get(key, "") for key in ("from", "to", "window"))
    if bool(first) != bool(until):
        raise BadWindow("Give both dates, or neither.")
    if first:
        return parse(first, until, zone)
    return preset(named or DEFAULT_PRESET, now, zone) if named or default is None else default


def _book(key: str) -> Book | None:
    """By a person's id, or "none" for the customers nobody looks after."""
    if not key:
        return None
    if key == NOBODYS:
        return Book(None)
    owner = User.objects.filter(pk=whole(key) or 0).first()
    if owner is None:
        raise BadScope(f"There is no manager {key}.")
    return Book(owner)


def _segment(key: str) -> Segment | None:
    """By id, or by name as the command line gives it."""
    if not key:
        return None
    by = {"name": key} if (pk := whole(key)) is None else {"pk": pk}
    found = Segment.objects.filter(**by).first()
    if found is None:
        raise BadScope(f"There is no segment {key}.")
    return found
