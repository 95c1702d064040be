"""Recurring revenue: MRR, its movements, and what of it was kept. Read from the rollup of movements.

What a figure is over is one currency's movements: the workspace's, or another that is asked for. METRICS, Recurring
revenue, has the definitions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Least

from customers.models import MovementKind, MrrMovement
from metrics import definitions
from metrics.definition import Definition
from metrics.figures import Figure, Tally
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies
from metrics.windows import Window

NOTHING = Decimal(0)
GAINS = (MovementKind.NEW, MovementKind.EXPANSION, MovementKind.REACTIVATION)
LOSSES = (MovementKind.CONTRACTION, MovementKind.CHURN)
MOVEMENTS: dict[Definition, str] = {
    definitions.NEW_MRR: "new",
    definitions.EXPANSION_MRR: "expansion",
    definitions.REACTIVATION_MRR: "reactivation",
    definitions.CONTRACTION_MRR: "contraction",
    definitions.CHURNED_MRR: "churn",
}


def currency_asked(query: Mapping[str, str]) -> str:
    """The currency that an address names, or "" for the workspace's."""
    code = query.get("currency", "")
    return code if len(code) == 3 and code.isascii() and code.isupper() else ""


def _positive(name: str, shift: int = 0) -> Any:
    return lambda i: Q(**{f"{name}_{i + shift}__gt": 0})


def _named(name: str, shift: int = 0) -> Any:
    return lambda i: f"{name}_{i + shift}"


class Recurring(Source):
    """One row per customer: MRR at each window's start and at the last one's end, and the movements in each window.

    `mrr_0`, `mrr_1`, … are of the moment before a window begins; the end of one is the start of the next.
    """

    definitions = (
        definitions.MRR,
        definitions.ARR,
        *MOVEMENTS,
        definitions.GROSS_RETENTION,
        definitions.NET_RETENTION,
        definitions.QUICK_RATIO,
    )
    parts = {
        "start": Part("MRR at the start", _positive("mrr"), _named("mrr")),
        "end": Part("MRR at the end", _positive("mrr", 1), _named("mrr", 1)),
        "new": Part("New", _positive("new"), _named("new")),
        "expansion": Part("Expansion", _positive("expansion"), _named("expansion")),
        "reactivation": Part("Reactivation", _positive("reactivation"), _named("reactivation")),
        "contraction": Part("Contraction", _positive("contraction"), _named("contraction")),
        "churn": Part("Churn", _positive("churn"), _named("churn")),
        "gained": Part("New, expansion and reactivation", _positive("gained"), _named("gained")),
        "lost": Part("Contraction and churn", _positive("lost"), _named("lost")),
        "kept": Part("Kept of the MRR at the start, gains left out", _positive("kept"), _named("kept")),
        "retained": Part(
            "MRR at the end of those who had some at the start",
            lambda i: Q(**{f"mrr_{i}__gt": 0, f"mrr_{i + 1}__gt": 0}),
            _named("mrr", 1),
        ),
        "foreign": Part("Customers with subscriptions in other currencies", _positive("foreign")),
    }

    def __init__(self, currency: str = "") -> None:
        self._asked = currency

    @property
    def params(self) -> dict[str, str]:
        return {"currency": self._asked} if self._asked else {}

    def currency(self, scope: Scope) -> str:
        return self._asked or scope.currency

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        own = Q(currency=self.currency(scope))
        days = [windows[0].first, *(window.until for window in windows)]
        sums: dict[str, Any] = {f"mrr_{i}": _sum("delta", own & Q(day__lt=day)) for i, day in enumerate(days)}
        more: dict[str, Any] = {}
        for i, window in enumerate(windows):
            inside = own & Q(day__gte=window.first, day__lt=window.until)
            sums |= {f"{kind}_{i}": _sum("delta", inside & Q(kind=kind)) for kind in GAINS}
            sums |= {f"{kind}_{i}": _sum(F("before") - F("after"), inside & Q(kind=kind)) for kind in LOSSES}
            sums[f"foreign_{i}"] = _sum("delta", ~own & Q(day__lt=window.until))
            more[f"gained_{i}"] = F(f"new_{i}") + F(f"expansion_{i}") + F(f"reactivation_{i}")
            more[f"lost_{i}"] = F(f"contraction_{i}") + F(f"churn_{i}")
            more[f"kept_{i}"] = Least(F(f"mrr_{i}"), F(f"mrr_{i + 1}"))
        moved = _limited(scope).filter(day__lt=windows[-1].until)
        rows: Rows = moved.values("customer_id").annotate(**sums).annotate(**more)
        return rows

    def told(self, definition: Definition, scope: Scope, **more: Any) -> Figure:
        return replace(super().told(definition, scope, **more), currency=self.currency(scope))

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        excluded = (tallies["foreign"],) if tallies["foreign"].customers else ()
        if definition in (definitions.GROSS_RETENTION, definitions.NET_RETENTION):
            part = tallies["kept" if definition is definitions.GROSS_RETENTION else "retained"]
            return self._ratio(definition, scope, part, tallies["start"], excluded)
        if definition is definitions.QUICK_RATIO:
            empty = not any(tallies[name].customers for name in ("gained", "lost"))
            told = replace(definition, nothing="nothing moved") if empty else definition
            return self._ratio(told, scope, tallies["gained"], tallies["lost"], excluded)
        part = tallies[MOVEMENTS.get(definition, "end")]
        known = any(tallies[name].customers for name in ("start", "end", "gained", "lost"))
        times = 12 if definition is definitions.ARR else 1
        value = times * _amount(part) if known else None
        beside = (tallies["start"],) if definition is definitions.MRR else ()
        return self.told(definition, scope, value=value, numerator=part, beside=beside, excluded=excluded)

    def _ratio(
        self, definition: Definition, scope: Scope, part: Tally, whole: Tally, excluded: tuple[Tally, ...]
    ) -> Figure:
        value = _amount(part) / _amount(whole) if _amount(whole) else None
        return self.told(definition, scope, value=value, numerator=part, denominator=whole, excluded=excluded)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers)
        columns = (
            Column("mrr_0", "MRR at the start", "money"),
            Column("gained_0", "Gained", "money"),
            Column("lost_0", "Lost", "money"),
            Column("mrr_1", "MRR at the end", "money"),
        )
        return columns, rows


def _limited(scope: Scope) -> QuerySet[MrrMovement]:
    members = scope.members()
    return MrrMovement.objects.all() if members is None else MrrMovement.objects.filter(customer_id__in=members)


def _sum(of: Any, where: Q) -> Sum:
    return Sum(of, filter=where, default=NOTHING)


def _amount(part: Tally) -> Decimal:
    return part.amount or NOTHING


@dataclass(frozen=True)
class InCurrency:
    """MRR in one currency as the scope's window ends."""

    currency: str
    mrr: Decimal
    customers: int


def by_currency(scope: Scope) -> list[InCurrency]:
    """Every currency in which there is MRR as the window ends, the most customers first. One query.

    Each customer with MRR came by a new or a reactivation, and has not gone by a churn since.
    """
    came = Count("pk", filter=Q(kind__in=(MovementKind.NEW, MovementKind.REACTIVATION)))
    gone = Count("pk", filter=Q(kind=MovementKind.CHURN))
    moved = _limited(scope).filter(day__lt=scope.window.until).values("currency")
    found = moved.annotate(mrr=Sum("delta"), customers=came - gone).filter(customers__gt=0)
    rows = found.order_by("-customers", "currency").values_list("currency", "mrr", "customers")
    return [InCurrency(*row) for row in rows]
