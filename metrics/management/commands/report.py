"""`manage.py report NAME`: the figures of the metrics pages, from the command line."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from campaigns.models import Campaign
from metrics import foretelling, reports
from metrics.books import books
from metrics.cohorts import Convention, Measure, Question, default_window
from metrics.effect import life
from metrics.reports import Report, as_csv
from metrics.revenue import default_window as default_months
from metrics.revenue import revenue
from metrics.scope import BadScope, Scope, read_scope
from metrics.windows import PRESETS, BadWindow, Window
from retention.common import clock
from retention.common.sent import whole
from retention.workspace.models import Workspace

Options = Mapping[str, Any]


class Command(BaseCommand):
    help = (
        "Print a report: the same figures as the pages under Metrics. Dates are days in the workspace's time zone;"
        " --to is the first day that is not included. Without dates a report covers what its page first shows."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=REPORTS)
        parser.add_argument("--from", dest="from", metavar="DATE", help="first day, as 2026-01-31")
        parser.add_argument("--to", metavar="DATE", help="first day not included")
        parser.add_argument("--window", choices=PRESETS, help="instead of dates")
        parser.add_argument("--segment", metavar="NAME|ID", help="only customers who are in it now")
        parser.add_argument("--owner", metavar="ID|none", help="only customers whose owner they are now")
        parser.add_argument("--campaign", metavar="NAME|ID", help="for campaign-effect")
        parser.add_argument(
            "--measure", choices=[m.value for m in Measure], default=Measure.ON.value, help="for cohorts"
        )
        parser.add_argument(
            "--orders",
            choices=[c.value for c in Convention],
            default=Convention.KEPT.value,
            help="for cohorts: which count",
        )
        parser.add_argument("--currency", metavar="CODE", help="for revenue: instead of the workspace's")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true")
        form.add_argument("--csv", action="store_true")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            report = REPORTS[options["name"]](options)
        except (BadScope, BadWindow) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_written(report, options), ending="")


def _written(report: Report, options: Options) -> str:
    if options["json"]:
        return json.dumps(report.as_dict(), indent=2, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"
    if options["csv"]:
        return as_csv(report.table(), Workspace.current().zone)
    return _aligned([["" if cell is None else str(cell) for cell in row] for row in report.read_out()])


def _aligned(rows: list[list[str]]) -> str:
    """In columns; a row of one cell is a heading and as wide as it likes."""
    columns = range(max(map(len, rows)))
    widths = [max((len(row[i]) for row in rows if i < len(row) > 1), default=0) for i in columns]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() + "\n" for row in rows
    )


def _scope(options: Options, default: Window | None = None) -> Scope:
    asked = {key: options[key] for key in ("from", "to", "window", "segment", "owner") if options[key]}
    return read_scope(asked, Workspace.current(), default)


def _overview(options: Options) -> Report:
    return reports.overview(_scope(options))


def _cohorts(options: Options) -> Report:
    scope = _scope(options, default_window(clock.now(), Workspace.current().zone))
    return reports.cohorts(Question(scope, Measure(options["measure"]), Convention(options["orders"])))


def _revenue(options: Options) -> Report:
    scope = _scope(options, default_months(clock.now(), Workspace.current().zone))
    return revenue(scope, options["currency"] or "")


def _books(options: Options) -> Report:
    return books(_scope(options, default_months(clock.now(), Workspace.current().zone)))


def _nps(options: Options) -> Report:
    return reports.nps(_scope(options))


def _health(options: Options) -> Report:
    return foretelling.health(_scope(options))


def _campaign_effect(options: Options) -> Report:
    campaign = _campaign(options["campaign"] or "")
    scope = _scope(options, life(campaign, Workspace.current().zone, clock.now()))
    return reports.campaign_effect(campaign, scope)


def _campaign(key: str) -> Campaign:
    by = {"name": key} if (pk := whole(key)) is None else {"pk": pk}
    found = Campaign.objects.filter(**by).first()
    if found is None:
        raise CommandError(f"There is no campaign {key}." if key else "Say which campaign, with --campaign.")
    return found


REPORTS: dict[str, Callable[[Options], Report]] = {
    "overview": _overview,
    "cohorts": _cohorts,
    "revenue": _revenue,
    "books": _books,
    "health": _health,
    "nps": _nps,
    "campaign-effect": _campaign_effect,
}
