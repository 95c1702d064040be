"""A renewal as pages and files show it."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from customers.models import RenewalForecast, Stage, SubscriptionTerm
from customers.renewals.expecting import LABELS, RULES, said_of


@dataclass(frozen=True)
class Renewal:
    """From a row of `due.renewals`, which has the annotations."""

    term: SubscriptionTerm

    @property
    def due_at(self) -> datetime:
        return cast("datetime", self.term.due_at)  # type: ignore[attr-defined]

    @property
    def notice_at(self) -> datetime | None:
        """Until when notice can be given; None where that is at any time, or it is given already."""
        at = cast("datetime", self.term.notice_at)  # type: ignore[attr-defined]
        return at if self.term.subscription.notice_days and not self.cancelled else None

    @property
    def cancelled(self) -> bool:
        return self.term.subscription.cancelled_at is not None

    @property
    def forecast(self) -> str:
        return cast("str", self.term.expected)  # type: ignore[attr-defined]

    @property
    def stage(self) -> str:
        return cast("str", self.term.stage)  # type: ignore[attr-defined]

    @property
    def stage_label(self) -> str:
        return Stage(self.stage).label

    @property
    def label(self) -> str:
        return LABELS[self.forecast]

    @property
    def said(self) -> RenewalForecast | None:
        return said_of(self.term.subscription)

    @property
    def suggested(self) -> str:
        return RULES[self._rule].forecast

    @property
    def suggestion(self) -> str:
        return LABELS[self.suggested]

    @property
    def why(self) -> str:
        """What makes the rules suggest that."""
        return RULES[self._rule].when

    @property
    def _rule(self) -> int:
        return cast("int", self.term.rule)  # type: ignore[attr-defined]
