"""The reports: what a page shows and what `manage.py report` prints are the same objects."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from io import StringIO
from typing import Any, Protocol

from campaigns.models import Arm, Campaign
from metrics.cohorts import Grid, Question, grid
from metrics.definition import Unit
from metrics.effect import Effect, effect
from metrics.figures import Figure, Number, Tally, Tile, tile
from metrics.purchases import Purchases, SecondOrders
from metrics.retention import Active, Gained, Interrupted
from metrics.satisfaction import Answers, by_segment, distribution
from metrics.scope import Scope
from metrics.sources import Source
from metrics.windows import Window, add_months, month_of
from metrics.wording import headline, say, say_interval
from retention.common.spreadsheet import cell

TREND = 8
# A window so long is charted by the months inside it, a shorter one beside those of the same length before it.
LONG_MONTHS, CHART_MONTHS = 6, 36
CHARTS = ("retention_rate", "revenue")
TILES = ("retention_rate", "churn_rate", "active_customers", "repeat_rate", "revenue", "nps")
BESIDE = ("new_customers", "came_back", "joined_and_left", "left_and_returned", "second_order_rate", "annual_churn")
Row = list[Any]


class Report(Protocol):
    """What every report can do beside being shown on its page."""

    def as_dict(self) -> dict[str, Any]: ...

    def table(self) -> Iterable[Row]:
        """Rows for a CSV file, the names of the columns first."""
        ...

    def read_out(self) -> Iterable[Row]:
        """Rows for somebody to read on a terminal."""
        ...


FIGURE_COLUMNS = [
    "figure",
    "period",
    "segment",
    "value",
    "unit",
    "currency",
    "low",
    "high",
    "numerator",
    "denominator",
    "small",
    "says",
    "definition_version",
]


def figure_row(figure: Figure) -> Row:
    told = figure.as_dict()
    told |= {place: _counted(told[place]) for place in ("numerator", "denominator")}
    if figure.definition.unit is Unit.MONEY:
        told |= {place: _cents(told[place]) for place in ("value", "low", "high")}
    return [told[column] for column in FIGURE_COLUMNS]


def read_out_of(figures: Iterable[Figure]) -> Iterable[Row]:
    for figure in figures:
        few = "few customers" if figure.small else ""
        yield [figure.definition.label, say(figure.value, figure), say_interval(figure), figure.segment, few]


def _cents(amount: Number | None) -> Decimal | None:
    return None if amount is None else round(Decimal(amount), 2)


def _counted(part: dict[str, Any] | None) -> Any:
    """What a part comes to: its money where it is money, else its customers."""
    return part and (part["customers"] if part["amount"] is None else part["amount"])


@dataclass(frozen=True)
class Step:
    """From the customers active at the start to those at the end: `sign` is −1, +1, or 0 for the two ends."""

    label: str
    customers: int
    sign: int
    figure: Figure
    part: str


@dataclass(frozen=True)
class Overview:
    """The tiles in their order, and the figures that belong beside them."""

    scope: Scope
    tiles: Mapping[str, Tile]
    beside: Mapping[str, Figure]
    charts: Mapping[str, Sequence[Figure]]

    @property
    def movement(self) -> list[Step]:
        """How the number of active customers came about."""
        active, new, back = (
            self.tiles["active_customers"].figure,
            self.beside["new_customers"],
            self.beside["came_back"],
        )
        part = {tally.key: tally.customers for tally in active.parts}
        return [
            Step("Active at the start", part["start"], 0, active, "start"),
            Step("Lost", part["lost"], -1, active, "lost"),
            Step("New", int(new.value or 0), 1, new, ""),
            Step("Came back", int(back.value or 0), 1, back, ""),
            Step("Active at the end", part["end"], 0, active, "end"),
        ]

    @property
    def also(self) -> list[Figure]:
        """What the movement does not show."""
        shown = {step.figure.name for step in self.movement}
        return [figure for name, figure in self.beside.items() if name not in shown]

    @property
    def nothing(self) -> bool:
        """Whether no figure has a value."""
        return all(one.figure.value is None for one in self.tiles.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "report": "overview",
            **said_of(self.scope),
            "figures": [one.as_dict() for one in self.tiles.values()],
            "beside": [one.as_dict() for one in self.beside.values()],
            "charts": {name: points_of(points) for name, points in self.charts.items()},
        }

    def read_out(self) -> Iterable[Row]:
        yield [str(self.scope.window)]
        yield from read_out_of(one.figure for one in self.tiles.values())
        yield from read_out_of(self.beside.values())

    def table(self) -> Iterable[Row]:
        """The figures of the window, those of the windows before it, and those of the charts."""
        yield FIGURE_COLUMNS
        yield from (figure_row(one.figure) for one in self.tiles.values())
        yield from (figure_row(one) for one in self.beside.values())
        for one in self.tiles.values():
            yield from (figure_row(point) for point in reversed(one.trend[:-1]))
        for name, points in self.charts.items():
            yield from (figure_row(point) for point in points if point not in self.tiles[name].trend)


def overview(scope: Scope) -> Overview:
    """The manager's first figures over the window, with those of the windows before it. A fixed number of queries."""
    trends = _read((Active(), Purchases(), Answers()), scope, scope.window.series(TREND))
    once = {name: found[0] for name, found in _read((Gained(), Interrupted(), SecondOrders()), scope).items()}
    once["annual_churn"] = trends["annual_churn"][-1]
    months = charted(scope)
    charts = _read((Active(), Purchases()), scope, months) if months else trends
    return Overview(
        scope,
        tiles={name: tile(trends[name]) for name in TILES},
        beside={name: once[name] for name in BESIDE},
        charts={name: charts[name] for name in CHARTS},
    )


def _read(of: Iterable[Source], scope: Scope, windows: Sequence[Window] | None = None) -> dict[str, list[Figure]]:
    return {name: found for source in of for name, found in source.figures(scope, windows).items()}


def charted(scope: Scope) -> list[Window]:
    """The months inside a long window that have begun; none of a shorter one."""
    begun = add_months(month_of(scope.now.astimezone(scope.zone).date()), 1)
    months = replace(scope.window, until=min(scope.window.until, begun)).inside(CHART_MONTHS)
    return months if len(months) >= LONG_MONTHS else []


def points_of(points: Iterable[Figure]) -> list[dict[str, Any]]:
    return [{"period": point.period, "value": point.value} for point in points]


@dataclass(frozen=True)
class CohortReport:
    grid: Grid

    def as_dict(self) -> dict[str, Any]:
        question = self.grid.question
        return {
            "report": "cohorts",
            **said_of(question.scope),
            "measure": question.measure.value,
            "orders": question.convention.value,
            "orders_counted": question.convention.label,
            "cohorts": [
                {
                    "cohort": f"{cohort.month:%Y-%m}",
                    "size": cohort.size,
                    "small": cohort.small,
                    "cells": [
                        {
                            "period": cell.period,
                            "customers": cell.customers,
                            "amount": cell.amount,
                            "value": cell.value,
                            "mature": cell.mature,
                        }
                        for cell in cohort.cells
                    ],
                }
                for cohort in self.grid.cohorts
            ],
            "averages": list(self.grid.averages),
        }

    def read_out(self) -> Iterable[Row]:
        question = self.grid.question
        yield [f"{question.measure.label}, {question.convention.label}"]
        yield from self.table()

    def table(self) -> Iterable[Row]:
        """One row per cohort: counts of customers or amounts of money, and how many of the cells are mature."""
        measure = self.grid.question.measure
        yield ["cohort", "size", "mature_months", *self.grid.periods]
        for cohort in self.grid.cohorts:
            cells = [cell.value if measure.is_money else cell.customers for cell in cohort.cells]
            yield [f"{cohort.month:%Y-%m}", cohort.size, sum(cell.mature for cell in cohort.cells), *cells]


def cohorts(question: Question) -> CohortReport:
    return CohortReport(grid(question))


@dataclass(frozen=True)
class NpsReport:
    tile: Tile
    chart: Sequence[Figure]
    distribution: list[Tally]
    segments: list[Figure]

    def as_dict(self) -> dict[str, Any]:
        return {
            "report": "nps",
            **self.tile.as_dict(),
            "distribution": {str(score): tally.customers for score, tally in enumerate(self.distribution)},
            "segments": [figure.as_dict() for figure in self.segments],
            "chart": points_of(self.chart),
        }

    def read_out(self) -> Iterable[Row]:
        yield [self.tile.figure.period]
        yield from read_out_of([self.tile.figure, *self.segments])
        yield from ([f"Score {score}", tally.customers] for score, tally in enumerate(self.distribution))

    def table(self) -> Iterable[Row]:
        yield FIGURE_COLUMNS
        yield from (figure_row(point) for point in reversed(self.tile.trend))
        yield from (figure_row(figure) for figure in self.segments)
        yield from (figure_row(point) for point in self.chart if point not in self.tile.trend)


def nps(scope: Scope) -> NpsReport:
    trend = Answers().figures(scope, scope.window.series(TREND))["nps"]
    months = charted(scope)
    chart = Answers().figures(scope, months)["nps"] if months else trend
    return NpsReport(tile(trend), chart, distribution(scope), by_segment(scope))


@dataclass(frozen=True)
class EffectReport:
    scope: Scope
    effect: Effect

    def as_dict(self) -> dict[str, Any]:
        found = self.effect
        compared = found.comparison
        return {
            "report": "campaign-effect",
            **said_of(self.scope),
            "campaign": found.campaign.pk,
            "name": found.campaign.name,
            "goal_days": found.campaign.goal_days,
            "assigned": found.arms.split[0],
            "held_out": found.arms.split[1],
            "held_out_and_got_other_mail": found.arms.mailed(Arm.CONTROL).customers,
            "assigned_and_got_other_mail": found.arms.mailed(Arm.TREATED).customers,
            "split_p": found.split and found.split.p,
            "split_as_asked": found.trusted,
            "effect_shown": found.shown,
            "z": compared and compared.z,
            "p": compared and compared.p,
            "lift": compared and compared.lift,
            "kept_per_thousand": found.per_thousand[0],
            "net_per_thousand": found.net_per_thousand,
            "figures": [figure.as_dict() for figure in found.figures.values()],
        }

    def read_out(self) -> Iterable[Row]:
        yield [headline(self.effect)]
        yield [str(self.scope.window)]
        yield from read_out_of(self.effect.figures.values())

    def table(self) -> Iterable[Row]:
        yield FIGURE_COLUMNS
        yield from (figure_row(figure) for figure in self.effect.figures.values())


def campaign_effect(campaign: Campaign, scope: Scope) -> EffectReport:
    return EffectReport(scope, effect(campaign, scope))


def said_of(scope: Scope) -> dict[str, Any]:
    whom = scope.within or None
    return {"from": scope.window.first, "to": scope.window.until, "segment": whom, "basis": scope.basis.value}


def as_csv(table: Iterable[Row], zone: tzinfo) -> str:
    out = StringIO()
    rows = ([cell(value, zone) for value in row] for row in table)
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
