"""What the board is asked for: whose renewals, which of them, grouped how. The query string says it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

from django.db.models import Q
from django.http import QueryDict

from customers.models import Customer, Forecast, Stage
from customers.records.filters import Filters
from customers.renewals.due import Rows, Span, renewals
from customers.renewals.expecting import CANCELLED, LABELS
from retention.common.sent import whole
from retention.workspace.models import User
from retention.workspace.roles import Role

OVERDUE = "overdue"
GROUPS: dict[str, dict[str, str]] = {
    "forecast": {name: LABELS[name] for name in (Forecast.AT_RISK, Forecast.LIKELY, Forecast.COMMITTED, CANCELLED)},
    "stage": dict(Stage.choices),
}
#: Which annotation or fact a group is of.
PATHS = {"forecast": "expected", "stage": "stage"}
_WHOSE = ("mine", "everyones", "nobodys")


@dataclass(frozen=True)
class Asked:
    """`whose` is one of mine, everyones, nobodys, or person-ID, team-ID; `month` 2026-12 or overdue; empty is all."""

    whose: str = "everyones"
    segment: str = ""
    short: bool = False
    by: str = "forecast"
    month: str = ""
    forecast: str = ""
    stage: str = ""
    currency: str = ""

    @classmethod
    def read(cls, said: QueryDict, user: User) -> Self:
        """Take what makes sense. Account managers begin with their own, everybody else with all."""
        usual = "mine" if user.role == Role.ACCOUNT_MANAGER else "everyones"
        currency = said.get("currency", "")
        return cls(
            whose=whose if _is_whose(whose := said.get("whose", "")) else usual,
            segment=segment if whole(segment := said.get("segment", "")) else "",
            short=said.get("short") == "yes",
            by=by if (by := said.get("by", "")) in GROUPS else "forecast",
            month=month if _is_month(month := said.get("month", "")) else "",
            forecast=name if (name := said.get("forecast", "")) in GROUPS["forecast"] else "",
            stage=name if (name := said.get("stage", "")) in GROUPS["stage"] else "",
            currency=currency if len(currency) == 3 and currency.isascii() and currency.isupper() else "",
        )

    def query(self) -> str:
        """The query string that says the same."""
        said = QueryDict(mutable=True)
        for name in ("whose", "segment", "by", "month", "forecast", "stage", "currency"):
            if value := getattr(self, name):
                said[name] = value
        if self.short:
            said["short"] = "yes"
        return said.urlencode()

    def but(self, **more: Any) -> Self:
        """The same with something else asked for."""
        return replace(self, **more)

    def rows(self, span: Span, me: int) -> Rows:
        """The renewals asked for."""
        rows = renewals(span, short=self.short)
        whom = self._filters(me)
        if whom.query():
            rows = rows.filter(customer__in=whom.narrow(Customer.objects.all()))
        if self.month:
            rows = rows.filter(_in_month(self.month))
        if self.forecast:
            rows = rows.filter(expected=self.forecast)
        if self.stage:
            rows = rows.filter(stage=self.stage)
        return rows.filter(currency=self.currency) if self.currency else rows

    def _filters(self, me: int) -> Filters:
        kind, _, number = self.whose.partition("-")
        owner = {"mine": str(me), "nobodys": "none", "person": number}.get(kind, "")
        return Filters(owner=owner, team=number if kind == "team" else "", segment=self.segment)


def _in_month(month: str) -> Q:
    return Q(month__isnull=True) if month == OVERDUE else Q(month=date.fromisoformat(f"{month}-01"))


def _is_whose(text: str) -> bool:
    kind, _, number = text.partition("-")
    return text in _WHOSE or (kind in ("person", "team") and whole(number) is not None)


def _is_month(text: str) -> bool:
    if text == OVERDUE:
        return True
    try:
        return len(text) == 7 and bool(date.fromisoformat(f"{text}-01"))
    except ValueError:
        return False
