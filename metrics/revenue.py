"""The report on recurring revenue: MRR now, how it came about, and what of it was kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from metrics.definition import Good
from metrics.figures import Figure, Tile, tile
from metrics.recurring import MOVEMENTS, InCurrency, Recurring, by_currency
from metrics.reports import FIGURE_COLUMNS, Row, charted, figure_row, points_of, read_out_of, said_of
from metrics.scope import Scope
from metrics.windows import Window, preset
from retention.common.counting import counted

TREND = 3
TILES = ("mrr", "arr", "net_revenue_retention", "gross_revenue_retention", "quick_ratio")
CHARTS = ("mrr", "net_revenue_retention")
DEFAULT = "12m"


@dataclass(frozen=True)
class MoneyStep:
    """From the MRR at the start to that at the end: `sign` is −1, +1, or 0 for the two ends."""

    label: str
    amount: Decimal
    customers: int
    sign: int
    figure: Figure
    part: str


@dataclass(frozen=True)
class RevenueReport:
    """`figures` are over the scope's window, `months` over the months inside it or, of a short one, those before."""

    scope: Scope
    currency: str
    tiles: Mapping[str, Tile]
    figures: Mapping[str, Figure]
    months: Mapping[str, Sequence[Figure]]
    currencies: Sequence[InCurrency]

    @property
    def steps(self) -> list[MoneyStep]:
        return movement(self.figures)

    @property
    def by_month(self) -> list[list[MoneyStep]]:
        """The same for each month of the window, or each window of the trend, oldest first."""
        count = len(self.months["mrr"])
        return [movement({name: found[i] for name, found in self.months.items()}) for i in range(count)]

    @property
    def in_months(self) -> bool:
        return all(point.window.months == 1 for point in self.months["mrr"])

    @property
    def charts(self) -> list[Sequence[Figure]]:
        return [self.months[name] for name in CHARTS]

    @property
    def others(self) -> list[InCurrency]:
        """The currencies that the figures leave out."""
        return [each for each in self.currencies if each.currency != self.currency]

    @property
    def nothing(self) -> bool:
        return self.figures["mrr"].value is None

    def as_dict(self) -> dict[str, Any]:
        return {
            "report": "revenue",
            **said_of(self.scope),
            "currency": self.currency,
            "figures": [figure.as_dict() for figure in self.figures.values()],
            "movement": [
                {"step": step.label, "amount": step.sign * step.amount if step.sign else step.amount}
                for step in self.steps
            ],
            "other_currencies": [
                {"currency": each.currency, "mrr": each.mrr, "customers": each.customers} for each in self.others
            ],
            "months": {name: points_of(found) for name, found in self.months.items()},
        }

    def read_out(self) -> Iterable[Row]:
        yield [f"{self.scope.window}, {self.currency}"]
        yield from read_out_of(self.figures.values())
        for each in self.others:
            yield [f"Left out: {each.mrr:.2f} {each.currency} of {counted(each.customers, 'customer')}"]

    def table(self) -> Iterable[Row]:
        """The figures of the window, then those of the months inside it or the windows before it."""
        yield FIGURE_COLUMNS
        yield from (figure_row(figure) for figure in self.figures.values())
        for found in self.months.values():
            yield from (figure_row(point) for point in found if point.window != self.scope.window)


def movement(figures: Mapping[str, Figure]) -> list[MoneyStep]:
    """METRICS' equation: start + new + expansion + reactivation − contraction − churn = end."""
    mrr = figures["mrr"]
    (start,) = mrr.beside
    found = [MoneyStep("At the start", start.amount or Decimal(0), start.customers, 0, mrr, "start")]
    for definition in MOVEMENTS:
        figure, sign = figures[definition.name], -1 if definition.good is Good.DOWN else 1
        if part := figure.numerator:
            found.append(MoneyStep(definition.label, part.amount or Decimal(0), part.customers, sign, figure, ""))
    if end := mrr.numerator:
        found.append(MoneyStep("At the end", end.amount or Decimal(0), end.customers, 0, mrr, "end"))
    return found


def revenue(scope: Scope, currency: str = "") -> RevenueReport:
    """Over the window, the windows before it, and the months inside it. Three queries at most."""
    source = Recurring(currency)
    trends = source.figures(scope, scope.window.series(TREND))
    months = charted(scope)
    return RevenueReport(
        scope,
        source.currency(scope),
        tiles={name: tile(trends[name]) for name in TILES},
        figures={name: found[-1] for name, found in trends.items()},
        months=source.figures(scope, months) if months else trends,
        currencies=by_currency(scope),
    )


def default_window(now: datetime, zone: tzinfo) -> Window:
    return preset(DEFAULT, now, zone)
