"""How well health ranked customers by who left: whether the order was right, and how often each tenth left.

All is told from how many customers had each health when the window began, and how many of them were gone when it
ended. Customers of equal health stay together, so that a tenth is a span of health and opens to who is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import OuterRef, Q, Subquery

from customers.models import HealthChange
from metrics import definitions_of_health as definitions
from metrics.definition import Definition
from metrics.figures import Figure, Tally
from metrics.inference import auc, auc_interval, place
from metrics.retention import Active
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies, share
from metrics.windows import Window

#: With fewer on either side there is no telling.
ENOUGH = 5
HIGHEST = 100
TENTHS = 10
#: By health: how many left, and how many stayed.
Spread = Mapping[int, tuple[int, int]]

_SPREAD = """
    SELECT score, count(*) FILTER (WHERE NOT at_1), count(*) FILTER (WHERE at_1) FROM ({rows}) AS seen
    WHERE at_0 AND score IS NOT NULL GROUP BY score
"""
_KNOWN = Q(at_0=True, score__isnull=False)


def past(scope: Scope, value: str) -> Subquery:
    """What a customer's health said just before the window began, by the customer of the row around it."""
    before = HealthChange.objects.filter(customer=OuterRef("customer_id"), at__lt=scope.window.start)
    return Subquery(before.order_by("-at", "-pk").values(value)[:1])


def evidence(scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
    """When customers were last seen, and what their health was."""
    columns, rows = Active().evidence(scope, customers)
    return (*columns, Column("health", "Health then", "number")), rows.annotate(health=past(scope, "score"))


def scored(scope: Scope, windows: Sequence[Window]) -> Rows:
    """One row per customer: active at the window's start, at its end, and the score just before it."""
    rows: Rows = Active().rows(scope, windows).annotate(score=past(scope.over(windows[0]), "score"))
    return rows


def spread(scope: Scope) -> Spread:
    """One query."""
    query, params = scored(scope, [scope.window]).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD.format(rows=query), params)
        return {score: (left, stayed) for score, left, stayed in cursor.fetchall()}


@dataclass(frozen=True)
class Tenth:
    """Customers whose health lay between two, both included."""

    low: int
    high: int
    left: int
    customers: int
    mean: float


def tenths(found: Spread) -> list[Tenth]:
    """From the lowest health to the highest; fewer than ten where many have the same."""
    whole, seen, groups = sum(map(sum, found.values())), 0, [list[int]()]
    for score in sorted(found):
        groups[-1].append(score)
        before, seen = seen, seen + sum(found[score])
        if seen * TENTHS // whole > before * TENTHS // whole:
            groups.append([])
    return [_tenth(found, scores) for scores in groups if scores]


def _tenth(found: Spread, scores: Sequence[int]) -> Tenth:
    customers = sum(sum(found[score]) for score in scores)
    mean = sum(score * sum(found[score]) for score in scores) / customers
    return Tenth(scores[0], scores[-1], sum(found[score][0] for score in scores), customers, mean)


class Ordered(Source):
    """One row per customer, with the score at the start. The figure is made of every pair of one who left and one who
    stayed, which no sum over customers gives: it reads how many there are of each score."""

    definitions = (definitions.HEALTH_AUC,)
    parts = {
        "left": Part("Health known at the start, not active at the end", lambda _: _KNOWN & Q(at_1=False)),
        "stayed": Part("Health known at the start, active at the end", lambda _: _KNOWN & Q(at_1=True)),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        return scored(scope, windows)

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        return self.of(definition, scope, tallies, spread(scope))

    def of(self, definition: Definition, scope: Scope, tallies: Tallies, found: Spread) -> Figure:
        left, stayed = place(found)
        enough = min(left.n, stayed.n) >= ENOUGH
        return self.told(
            definition,
            scope,
            value=auc(left, stayed) if enough else None,
            interval=auc_interval(left, stayed) if enough else None,
            beside=(tallies["left"], tallies["stayed"]),
            rests_on=min(left.n, stayed.n),
            note=scope.unfinished,
        )

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        return evidence(scope, customers)


class Between(Source):
    """One row per customer, with the score at the start, of which those between two are looked at."""

    definitions = (definitions.CHURN_BY_HEALTH, definitions.HEALTH_LIFT)

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        among = Q(at_0=True, score__gte=low, score__lte=high)
        self.parts = {
            "then": Part(f"Active when the window began, health {low} to {high} then", lambda _: among),
            "left": Part(
                f"Of these, not active when it ended (health {low} to {high})", lambda _: among & Q(at_1=False)
            ),
            "all_then": Part("Active when the window began, health known then", lambda _: _KNOWN),
            "all_left": Part("Of these, not active when it ended (health known)", lambda _: _KNOWN & Q(at_1=False)),
        }

    @property
    def params(self) -> dict[str, str]:
        return {"low": str(self.low), "high": str(self.high)}

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        return scored(scope, windows)

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        part, of = tallies["left"], tallies["then"]
        note = " ".join(filter(None, (scope.unfinished, f"Health from {self.low} to {self.high}.")))
        found = self.told_share(definition, scope, part, of, note=note)
        return found if definition is definitions.CHURN_BY_HEALTH else self._lift(scope, found, tallies)

    def _lift(self, scope: Scope, rate: Figure, tallies: Tallies) -> Figure:
        """The rate against that of all, whose own doubt is small beside it and left out of the interval."""
        of_all = share(tallies["all_left"], tallies["all_then"])
        known = rate.value is not None and of_all is not None and of_all.hits > 0
        return self.told(
            definitions.HEALTH_LIFT,
            scope,
            value=float(rate.value or 0) / of_all.value if known and of_all else None,
            interval=rate.interval.scaled(1 / of_all.value) if known and of_all and rate.interval else None,
            numerator=rate.numerator,
            denominator=rate.denominator,
            beside=(tallies["all_left"], tallies["all_then"]),
            note=rate.note,
        )

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        return evidence(scope, customers)


@dataclass(frozen=True)
class Judged:
    """How well health ranked: the order as a whole, the lowest tenth, and each tenth with what it held."""

    order: Figure
    lift: Figure
    tenths: list[tuple[Tenth, Figure]]

    @property
    def figures(self) -> list[Figure]:
        return [self.order, self.lift, *(figure for _, figure in self.tenths)]

    @property
    def known(self) -> int:
        """How many customers' health was known."""
        return sum(each.customers for each, _ in self.tenths)

    @property
    def clear(self) -> bool:
        """Whether the order was better than chance makes one."""
        return bool(self.order.interval and self.order.interval.low > 1 / 2)


def judged(scope: Scope) -> Judged:
    """One query."""
    found = spread(scope)
    groups = tenths(found) if found else []
    lowest = groups[0] if groups else Tenth(0, HIGHEST, 0, 0, 0)
    left, stayed = (sum(each[which] for each in found.values()) for which in (0, 1))
    order, counted = Ordered(), {"left": left, "stayed": stayed}
    tallies = {key: Tally(key, part.label, counted[key]) for key, part in order.parts.items()}
    return Judged(
        order.of(definitions.HEALTH_AUC, scope, tallies, found),
        _of(lowest, definitions.HEALTH_LIFT, scope, (left, left + stayed)),
        [(each, _of(each, definitions.CHURN_BY_HEALTH, scope, (left, left + stayed))) for each in groups],
    )


def _of(group: Tenth, definition: Definition, scope: Scope, whole: tuple[int, int]) -> Figure:
    source = Between(group.low, group.high)
    counted = {"then": group.customers, "left": group.left, "all_left": whole[0], "all_then": whole[1]}
    tallies = {key: Tally(key, part.label, counted[key]) for key, part in source.parts.items()}
    return source.figure(definition, scope, tallies)
