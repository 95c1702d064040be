"""The suggestions: which there are, and saying that two are no duplicates."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet

from customers.duplicates.finding import LIKELY, VERY_LIKELY
from customers.models import Customer, Likeness
from customers.records.filters import Filters, matching
from retention.common import clock
from retention.workspace.models import User


@dataclass(frozen=True)
class Suggestion:
    """A suggestion as a page shows it. `other` is who it is with, where the page is about one of the two."""

    likeness: Likeness
    sure: str
    other: Customer | None = None

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return list(self.likeness.reasons)


def sure(score: int) -> str:
    """How sure it is, in words."""
    if score >= VERY_LIKELY:
        return "Very likely"
    return "Likely" if score >= LIKELY else "Possible"


def suggestions() -> QuerySet[Likeness]:
    """The surest first."""
    return Likeness.objects.filter(dismissed_at=None).select_related("low", "high").order_by("-score", "id")


def dismissed(typed: str = "") -> QuerySet[Likeness]:
    """What was said to be two, the latest first; `typed` finds those in which one has words that begin so."""
    found = Likeness.objects.exclude(dismissed_at=None).select_related("low", "high", "dismissed_by")
    if typed:
        named = matching(Filters(q=typed)).values("pk")
        found = found.filter(Q(low__in=named) | Q(high__in=named))
    return found.order_by(F("dismissed_at").desc(), "id")


def shown(likeness: Likeness) -> Suggestion:
    return Suggestion(likeness, sure(likeness.score))


def like(customer_id: int) -> list[Suggestion]:
    """Who may be the same as one customer, the likeliest first."""
    found = suggestions().filter(Q(low=customer_id) | Q(high=customer_id))[:10]
    return [Suggestion(each, sure(each.score), _other(each, customer_id)) for each in found]


def _other(likeness: Likeness, customer_id: int) -> Customer:
    return likeness.high if likeness.low_id == customer_id else likeness.low


def dismiss(customer_id: int, among: Collection[int], by: User) -> None:
    """Keep that a customer is none of `among`. Said a second time it stays as it was said first."""
    pairs = Q(low=customer_id, high__in=among) | Q(high=customer_id, low__in=among)
    Likeness.objects.filter(pairs, dismissed_at=None).update(dismissed_at=clock.now(), dismissed_by=by)


def suggest_again(likeness_id: int) -> None:
    Likeness.objects.filter(pk=likeness_id).update(dismissed_at=None, dismissed_by=None)
