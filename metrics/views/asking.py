"""What a request to a report asks for: its scope, and whether as a page or as a file."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from customers.models import Segment
from metrics.catalogue import UnknownFigure
from metrics.reports import Report, as_csv
from metrics.scope import BadScope, Scope, read_scope
from metrics.windows import PRESETS, BadWindow, Window
from retention.workspace.models import Workspace

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def workspace(request: HttpRequest) -> Workspace:
    found: Workspace = request.workspace  # type: ignore[attr-defined]  # set by WorkspaceMiddleware
    return found


def asked(request: HttpRequest, default: Window | None = None) -> Scope:
    """The scope that the address asks for. Raises BadScope or BadWindow."""
    return read_scope(request.GET.dict(), workspace(request), default)


def refusing(view: View[P]) -> View[P]:
    """Say what is wrong with the dates a person gave, and keep what they typed; an unknown figure is not found."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except UnknownFigure as error:
            raise Http404 from error
        except (BadScope, BadWindow) as error:
            told = {"error": str(error), "typed": request.GET, **choices()}
            return render(request, "metrics/refused.html", told, status=400)

    return cast("View[P]", guarded)


def choices() -> dict[str, Any]:
    """What the form above a report offers."""
    return {"presets": {name: label for name, (label, _) in PRESETS.items()}, "segments": Segment.objects.only("name")}


def answer(request: HttpRequest, template: str, report: Report, context: dict[str, Any]) -> HttpResponse:
    """The report as a page, or, where the address says `format=csv`, as a file."""
    if request.GET.get("format") == "csv":
        content = as_csv(report.table(), workspace(request).zone)
        return csv_file(content, template.rpartition("/")[2].removesuffix(".html"))
    return render(request, template, {"report": report, "typed": request.GET, **choices(), **context})


def csv_file(content: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
