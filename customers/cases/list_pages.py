"""The list of all cases, and its file."""

import csv
from io import StringIO

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers.cases.listing import ME, NOBODY, STATES, Asked
from customers.models import Case
from customers.work.forms import workers
from retention.common import clock
from retention.common.spreadsheet import cell
from retention.workspace import saved_views
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

PLACE, PAGE = "customers:cases", 50
HEADER = (
    "Reference",
    "Subject",
    "Customer",
    "State",
    "Priority",
    "Opened",
    "Answer due",
    "Answered",
    "Resolved",
    "For",
)
COLUMNS = ("external_id", "subject", "customer__name", "state", "priority")
DATES = ("opened_at", "due_at", "answered_at", "resolved_at", "assignee__email")


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponse:
    asked, me = Asked.read(request.GET), person(request)
    if request.GET.get("format") == "csv":
        return _file(request, asked)
    people = {ME: "Mine", NOBODY: "Nobody's"} | {str(each.pk): str(each) for each in workers()}
    context = {
        "asked": asked,
        "page": Paginator(asked.cases(me), PAGE).get_page(request.GET.get("page")),
        "headings": asked.headings,
        "chips": list(asked.chips(people)),
        "states": STATES,
        "priorities": Case.Priority.choices,
        "people": people,
        "csv_url": f"?{asked.query()}{'&' if asked.query() else ''}format=csv",
        "views": saved_views.for_list(me, PLACE),
        "place": PLACE,
        "query": asked.query(),
        "now": clock.now(),
    }
    return render(request, "customers/cases/all.html", context)


def _file(request: HttpRequest, asked: Asked) -> HttpResponse:
    out, zone = StringIO(), workspace_of(request).zone
    write = csv.writer(out, lineterminator="\n").writerow
    write(HEADER)
    for row in asked.cases(person(request)).values_list(*COLUMNS, *DATES):
        write([cell(value, zone) for value in row])
    headers = {"Content-Disposition": 'attachment; filename="cases.csv"'}
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
