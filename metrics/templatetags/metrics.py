"""Tags and filters of the metrics pages: figures in words, links to receipts, small drawings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from metrics import wording
from metrics.cohorts import MEASURES, Cell, Cohort, Grid, Question
from metrics.definition import Unit
from metrics.effect import Effect
from metrics.figures import Change, Figure, Tally, Tile
from metrics.pictures import (
    Bar,
    IntervalPlot,
    Ranged,
    Waterfall,
    interval_plot,
    ranged,
    sparkline,
    stacked,
    upright,
    waterfall,
)
from metrics.pictures import (
    Column as DrawnColumn,
)
from metrics.ranking import Judged, Tenth
from metrics.reports import NpsReport, Overview, Step
from metrics.revenue import MoneyStep
from metrics.sources import Column
from metrics.windows import add_months
from retention.workspace.templatetags.shell import day, money, number

register = template.Library()


@register.filter
def said(figure: Figure) -> str:
    return wording.say(figure.value, figure)


@register.filter
def interval(figure: Figure) -> str:
    return wording.say_interval(figure)


@register.filter
def change_said(moved: Change) -> str:
    return wording.say_change(moved)


@register.filter
def share_said(value: float) -> str:
    return wording.percent(value)


@register.filter
def in_unit(value: float, figure: Figure) -> str:
    return wording.say(value, figure)


@register.filter
def steps(report: Overview) -> list[tuple[Step, str, Bar]]:
    """The movement of active customers, each step in words and as a bar of a waterfall."""
    movement = report.movement
    said = [
        wording.signed(number(step.sign * step.customers), step.sign) if step.sign else number(step.customers)
        for step in movement
    ]
    return list(zip(movement, said, waterfall([(step.sign, step.customers) for step in movement]), strict=True))


@register.filter
def step_said(step: MoneyStep) -> str:
    """The money of a step, with its sign where it moves something."""
    return _with_sign(step, money(step.amount, step.figure.currency))


@register.filter
def step_short(step: MoneyStep) -> str:
    """The same in whole units without the currency, which stands beside it."""
    return _with_sign(step, number(step.amount))


def _with_sign(step: MoneyStep, text: str) -> str:
    if not step.sign or not step.amount:
        return text
    return f"+{text}" if step.sign > 0 else f"{wording.MINUS}{text}"


@register.filter
def drawn(steps: list[MoneyStep]) -> Waterfall:
    return upright([(step.sign, step.amount) for step in steps])


@register.filter
def beside(steps: list[MoneyStep], picture: Waterfall) -> list[tuple[MoneyStep, DrawnColumn]]:
    return list(zip(steps, picture.columns, strict=True))


@register.simple_tag
def receipt(figure: Figure, part: str = "", **more: Any) -> str:
    """The address of a figure's receipt, at one of its parts."""
    chosen = {"part": part} if part else {}
    extra = urlencode({**chosen, **more})
    return f"{reverse('metrics:receipt', args=[figure.name])}?{figure.query}{'&' if extra else ''}{extra}"


@register.simple_tag
def at(query: Mapping[str, str], **more: Any) -> str:
    """A query string like `query`, but with these values; an empty one is left out."""
    return "?" + urlencode({key: value for key, value in {**query, **more}.items() if value != ""})


@register.filter
def comes_to(part: Tally, figure: Figure) -> str:
    """The size of a part of the figure: money in its currency, or a number of customers or of whatever else."""
    if part.amount is None or figure.definition.unit is Unit.TIMES:
        return number(part.customers if part.amount is None else part.amount)
    return money(part.amount, figure.currency)


@register.filter
def tally_said(part: Tally, figure: Figure) -> str:
    """How many customers a part has and, where it is money, how much it comes to."""
    customers = f"{number(part.customers)} {'customer' if part.customers == 1 else 'customers'}"
    if part.amount is None:
        return customers
    amount = comes_to(part, figure)
    return f"{amount}, {customers}" if part.customers else amount


@register.filter
def cell(value: Any, column: Column) -> SafeString | str:
    """A piece of evidence as its column shows it."""
    if value is None:
        return ""
    if column.kind == "day":
        return day(value) if isinstance(value, datetime) else str(value)
    return number(value, 2 if isinstance(value, Decimal) else 0) if column.kind in ("number", "money") else str(value)


@register.simple_tag
def spark(tile: Tile) -> SafeString | str:
    """The figure over its windows as a small line; the numbers themselves are in the table of the trend."""
    drawn = sparkline([point.value for point in tile.trend])
    if drawn is None:
        return ""
    dot = format_html('<circle cx="{}" cy="{}" r="2"/>', *drawn.last) if drawn.last else ""
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" aria-hidden="true" focusable="false"><path d="{}"/>{}</svg>',
        drawn.width,
        drawn.height,
        drawn.path,
        dot,
    )


@register.filter
def grid_value(value: float, question: Question) -> str:
    """Per cent of the cohort without the sign, or money without the currency: both are in the grid's title."""
    return number(value, 0) if question.measure.is_money else number(100 * value, 1)


@dataclass(frozen=True)
class ShownCell:
    """A cell of the cohort grid as it is drawn; `shade` is 0 to 10."""

    cell: Cell
    text: str
    told: str
    url: str
    shade: int


@register.simple_tag
def shown_cells(grid: Grid, cohort: Cohort, as_numbers: bool) -> list[ShownCell | None]:
    """The cohort's cells, and None for each month still to come."""
    most = _most(grid)
    shown = [_shown(grid.question, cohort, one, as_numbers, most) for one in cohort.cells]
    return [*shown, *[None] * (len(grid.periods) - len(shown))]


def _most(grid: Grid) -> float:
    """The largest value that is shaded. Everybody ordered in month 0, so a share of it says nothing."""
    from_month = 0 if grid.question.measure.is_money else 1
    return max((float(one.value) for row in grid.cohorts for one in row.cells if one.period >= from_month), default=0)


def _shown(question: Question, cohort: Cohort, one: Cell, as_numbers: bool, most: float) -> ShownCell:
    money_shown = question.measure.is_money
    text = number(one.customers) if as_numbers and not money_shown else grid_value(float(one.value), question)
    whom = f"{number(one.customers)} of {number(cohort.size)} customers"
    plain = one.period == 0 and not money_shown
    shade = 0 if plain or not most else max(0, min(10, round(10 * float(one.value) / most)))
    return ShownCell(one, text, whom, _cell_receipt(question, cohort, one.period), shade)


def _cell_receipt(question: Question, cohort: Cohort, period: int, **more: str) -> str:
    month = {"from": cohort.month.isoformat(), "to": add_months(cohort.month, 1).isoformat()}
    which = {"orders": question.convention.value, "period": period}
    name = MEASURES[question.measure].name
    return f"{reverse('metrics:receipt', args=[name])}?{urlencode({**month, **question.scope.whom, **which, **more})}"


@register.simple_tag
def cohort_receipt(grid: Grid, cohort: Cohort) -> str:
    """The address of the cohort's customers."""
    return _cell_receipt(grid.question, cohort, 0, part="cohort")


@register.simple_tag
def average_receipt(grid: Grid, period: int) -> str:
    """The address of what an average is over."""
    question = grid.question
    query = {**question.scope.query, "orders": question.convention.value, "period": period}
    return f"{reverse('metrics:receipt', args=[question.measure.average.name])}?{urlencode(query)}"


@dataclass(frozen=True)
class SharePart:
    """A part of a whole: its share 0–1 and its piece of a stacked bar."""

    tally: Tally
    share: float
    bar: Bar


@register.simple_tag
def split_bar(figure: Figure) -> list[SharePart]:
    """Detractors, passives and promoters as pieces of one bar."""
    by_key = {part.key: part for part in figure.parts}
    pieces = [by_key[key] for key in ("detractors", "passives", "promoters")]
    bars = stacked([piece.customers for piece in pieces])
    whole = sum(piece.customers for piece in pieces) or 1
    return [SharePart(piece, piece.customers / whole, bar) for piece, bar in zip(pieces, bars, strict=True)]


@register.filter
def score_bars(report: NpsReport) -> list[tuple[int, Tally, Bar]]:
    """The respondents of each score, highest first, with a bar in proportion to the most."""
    most = max(tally.customers for tally in report.distribution) or 1
    bars = [
        (score, tally, stacked([tally.customers, most - tally.customers])[0])
        for score, tally in enumerate(report.distribution)
    ]
    return bars[::-1]


@register.filter
def tenth_bars(judged: Judged) -> list[tuple[Tenth, Figure, Ranged]]:
    """Each tenth with the bar of its churn rate, on one scale."""
    bars = ranged([figure for _, figure in judged.tenths])
    return [(tenth, figure, bar) for (tenth, figure), bar in zip(judged.tenths, bars, strict=True)]


@register.filter
def thousand(found: Effect, which: str) -> str:
    return wording.thousand(found, which)


@register.filter
def p_said(p: float) -> str:
    return wording.say_p(p)


@register.filter
def one_in(p: float) -> str:
    """0.028 → 36: how often it comes up."""
    return number(1 / p)


@register.filter
def lift_said(lift: float) -> str:
    return wording.say_lift(lift)


@register.simple_tag
def plotted(figure: Figure) -> IntervalPlot | None:
    return interval_plot(figure.value, figure.interval)
