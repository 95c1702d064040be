"""NPS, as METRICS defines it: 100 × (promoters − detractors) / respondents, each respondent's latest answer once."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

from django.db.models import Case, Count, F, FloatField, Func, Q, QuerySet, Sum, Window
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, RowNumber

from surveys.models import Answer

HIGHEST_DETRACTOR = 6
HIGHEST_PASSIVE = 8
DETRACTOR = Q(score__lte=HIGHEST_DETRACTOR)
PASSIVE = Q(score__gt=HIGHEST_DETRACTOR, score__lte=HIGHEST_PASSIVE)
PROMOTER = Q(score__gt=HIGHEST_PASSIVE)


@dataclass(frozen=True)
class Nps:
    """Counts of respondents and their weights. With equal weights (the rule) shares are plain shares of the counts."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0
    promoter_weight: float = 0
    detractor_weight: float = 0
    total_weight: float = 0
    squared_weight: float = 0

    @property
    def respondents(self) -> int:
        return self.promoters + self.passives + self.detractors

    @property
    def is_small(self) -> bool:
        """Over fewer than 30 respondents (METRICS, Conventions)."""
        return 0 < self.respondents < 30

    @property
    def promoter_share(self) -> float | None:
        """0–1, weighted."""
        return self.promoter_weight / self.total_weight if self.total_weight else None

    @property
    def detractor_share(self) -> float | None:
        """0–1, weighted."""
        return self.detractor_weight / self.total_weight if self.total_weight else None

    @property
    def score(self) -> float | None:
        """−100 … 100 points; None where nobody answered."""
        return 100 * (self.promoter_weight - self.detractor_weight) / self.total_weight if self.total_weight else None

    @property
    def margin(self) -> float | None:
        """Half the width of the 95 % interval, in points: 196·√((p + d − (p − d)²)/n).

        None where nobody answered, and where all are promoters, all passives or all detractors: the formula comes to 0
        then, which says nothing of how sure it is.
        n is the number of respondents; where weights differ, Kish's effective number (Σw)²/Σw² (Survey Sampling,
        1965), which is the number of respondents when they do not.
        """
        p, d = self.promoter_share, self.detractor_share
        if p is None or d is None or [self.promoters, self.passives, self.detractors].count(0) == 2:
            return None
        effective = self.total_weight**2 / self.squared_weight
        return 196 * sqrt(max(0.0, p + d - (p - d) ** 2) / effective)


def counted(answers: QuerySet[Answer]) -> QuerySet[Answer]:
    """Of `answers` (those of the window asked about) the ones an NPS counts: the latest by each respondent,
    without what staff typed in."""
    return answers.filter(typed_in=False).order_by("customer_id", "-answered_at", "-pk").distinct("customer_id")


def nps(answers: QuerySet[Answer]) -> Nps:
    """The score of `answers`, those of the window asked about. One query."""
    latest = Answer.objects.filter(pk__in=counted(answers).values("pk"))
    return Nps(**latest.aggregate(**tallies()))


def nps_by(answers: QuerySet[Answer], key: F | Func | Case) -> dict[Any, Nps]:
    """The score of each group of `answers`, each respondent's latest counted once per group. One query."""
    newest_first = Window(RowNumber(), [key, F("customer_id")], [F("answered_at").desc(), F("pk").desc()])
    latest = answers.filter(typed_in=False).annotate(place=newest_first).filter(place=1)
    groups = Answer.objects.filter(pk__in=latest.values("pk")).values_list(key)
    return {group: Nps(*found) for group, *found in groups.annotate(**tallies())}


def tallies() -> dict[str, Count | Coalesce]:
    """The aggregates that make an Nps, in its order."""
    return {
        "promoters": Count("pk", filter=PROMOTER),
        "passives": Count("pk", filter=PASSIVE),
        "detractors": Count("pk", filter=DETRACTOR),
        "promoter_weight": _total(F("weight"), PROMOTER),
        "detractor_weight": _total(F("weight"), DETRACTOR),
        "total_weight": _total(F("weight")),
        "squared_weight": _total(F("weight") * F("weight")),
    }


def _total(of: Combinable, where: Q | None = None) -> Coalesce:
    return Coalesce(Sum(of, filter=where), 0.0, output_field=FloatField())
