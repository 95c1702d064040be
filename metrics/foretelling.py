"""Whether health foretells who leaves: of the customers in each band when a window began, how many left in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Q, Value
from django.db.models.functions import Coalesce, NullIf

from customers.models import HealthBand, HealthProfile
from metrics import definitions
from metrics.definition import Definition
from metrics.figures import Figure
from metrics.ranking import Judged, evidence, judged, past
from metrics.reports import FIGURE_COLUMNS, Row, figure_row, read_out_of, said_of
from metrics.retention import Active
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies
from metrics.windows import Window

UNKNOWN = "unknown"
#: Each figure, and the band that it is about.
BANDS: Mapping[Definition, str] = {
    definitions.CHURN_GOOD: HealthBand.GOOD.value,
    definitions.CHURN_WATCH: HealthBand.WATCH.value,
    definitions.CHURN_POOR: HealthBand.POOR.value,
    definitions.CHURN_UNKNOWN: UNKNOWN,
}


def _then(band: str) -> Part:
    said = "not known" if band == UNKNOWN else band
    return Part(f"Active when the window began, health {said} then", lambda _: Q(at_0=True, band=band))


def _left(band: str) -> Part:
    said = "not known" if band == UNKNOWN else band
    return Part(f"Of these, not active when it ended (health {said})", lambda _: Q(at_0=True, at_1=False, band=band))


class Foretold(Source):
    """One row per customer: active at the window's start, at its end, and the band of their health just before."""

    definitions = tuple(BANDS)
    parts = {f"{band}_then": _then(band) for band in BANDS.values()} | {
        f"{band}_left": _left(band) for band in BANDS.values()
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        (window,) = windows
        band = Coalesce(NullIf(past(scope.over(window), "band"), Value("")), Value(UNKNOWN))
        rows: Rows = Active().rows(scope, windows).annotate(band=band)
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        band = BANDS[definition]
        return self.told_share(
            definition, scope, tallies[f"{band}_left"], tallies[f"{band}_then"], note=scope.unfinished
        )

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        return evidence(scope, customers)


@dataclass(frozen=True)
class HealthReport:
    scope: Scope
    figures: list[Figure]
    judged: Judged
    weighed_at: datetime | None

    @property
    def weighed_since(self) -> bool:
        """Whether the weights were changed after the window began: what is judged are the scores by those before."""
        return bool(self.weighed_at and self.weighed_at > self.scope.window.start)

    @property
    def customers(self) -> int:
        """How many were active when the window began."""
        return sum(figure.denominator.customers for figure in self.figures if figure.denominator)

    @property
    def told_apart(self) -> bool:
        """Whether more of the poor ones left than of the good ones, by more than chance would make it."""
        good, _, poor, _ = (figure.interval for figure in self.figures)
        return bool(good and poor and poor.low > good.high)

    @property
    def all(self) -> list[Figure]:
        return [*self.figures, *self.judged.figures]

    def as_dict(self) -> dict[str, Any]:
        return {
            "report": "health",
            **said_of(self.scope),
            "told_apart": self.told_apart,
            "figures": [figure.as_dict() for figure in self.all],
        }

    def read_out(self) -> Iterable[Row]:
        yield [str(self.scope.window)]
        yield from read_out_of(self.all)

    def table(self) -> Iterable[Row]:
        yield FIGURE_COLUMNS
        yield from map(figure_row, self.all)


def health(scope: Scope) -> HealthReport:
    """The report. Three queries."""
    found = Foretold().figures(scope)
    weighed = HealthProfile.objects.filter(version__gt=0).aggregate(at=Max("updated_at"))["at"]
    return HealthReport(scope, [found[definition.name][0] for definition in BANDS], judged(scope), weighed)
