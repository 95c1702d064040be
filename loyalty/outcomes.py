"""What came of offers, told by kind, by who made them and by reason: counts, cost, and how many customers stayed."""

from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from django.db.models import Count, Q, Sum

from loyalty.models import Kind, Offer, Outcome, Reason

#: A figure over fewer customers is marked as small (METRICS, Conventions).
SMALL = 30
Z = 1.959964


@dataclass(frozen=True)
class Line:
    """Granted offers of one sort. `known` of them are 90 days old, and `kept` of those customers were active then."""

    label: str
    query: str
    granted: int
    cost: Decimal
    known: int
    kept: int

    @property
    def rate(self) -> float | None:
        """Kept, in % of those known."""
        return 100 * self.kept / self.known if self.known else None

    @property
    def lost(self) -> int:
        return self.known - self.kept

    @property
    def small(self) -> bool:
        return 0 < self.known < SMALL

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the rate in % (Wilson 1927)."""
        if not self.known:
            return None
        n, share = self.known, self.kept / self.known
        middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


@dataclass(frozen=True)
class Table:
    title: str
    heading: str
    lines: list[Line]


def tables(currency: str, people: dict[int, str]) -> list[Table]:
    """By kind, by who made it and by reason. Costs are those in `currency`: others are never added to them."""
    return [
        Table("By kind", "Kind", _by("kind", dict(Kind.choices), currency)),
        Table("By who made the offer", "Person", _by("asked_by", people, currency)),
        Table("By reason", "Reason", _by("reason", dict(Reason.choices), currency)),
    ]


def whole(currency: str) -> Line:
    found = _counted(currency)
    return _line("All", "state=granted", found)


def _by(field: str, names: "dict[str, str] | dict[int, str]", currency: str) -> list[Line]:
    rows = Offer.objects.filter(state=Offer.State.GRANTED).values(field).annotate(**_parts(currency))
    said = "by" if field == "asked_by" else field
    named: dict[object, str] = dict(names.items())
    lines = [
        _line(named.get(row[field], str(row[field])), f"state=granted&{said}={row[field]}", row)
        for row in rows.order_by()
    ]
    return sorted(lines, key=lambda line: (-line.granted, line.label))


def _counted(currency: str) -> dict[str, object]:
    return dict(Offer.objects.filter(state=Offer.State.GRANTED).aggregate(**_parts(currency)))


def _parts(currency: str) -> dict[str, Count | Sum]:
    return {
        "granted_number": Count("pk"),
        "cost_sum": Sum("cost", filter=Q(currency=currency)),
        "known_number": Count("pk", filter=~Q(outcome="")),
        "kept_number": Count("pk", filter=Q(outcome=Outcome.KEPT)),
    }


def _line(label: str, query: str, row: "dict[str, object]") -> Line:
    numbers = [row[name] for name in ("granted_number", "known_number", "kept_number")]
    granted, known, kept = (int(str(number)) for number in numbers)
    return Line(label, query, granted, Decimal(str(row["cost_sum"] or 0)), known, kept)
