"""The list of all cases, and its file."""

import csv
from io import StringIO

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from customers.cases import bulk
from customers.cases.listing import ME, NOBODY, STATES, Asked
from customers.models import Case
from customers.records.listing import SIZES, Count, count
from customers.together.pages import Wish, answer
from customers.work.forms import workers
from retention.common import clock
from retention.common.spreadsheet import cell
from retention.workspace import saved_views
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

PLACE = "customers:cases"
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
    theirs = {str(each.pk): str(each) for each in workers()}
    people = {ME: "Mine", NOBODY: "Nobody's"} | theirs
    number = count(asked.cases(me))
    context = {
        "asked": asked,
        "page": asked.page(me, request.GET.get("after", ""), request.GET.get("before", "")),
        "count": number,
        "none_at_all": not number.number and not Case.objects.exists(),
        "sizes": SIZES,
        "size": int(asked.size),
        "headings": asked.headings,
        "chips": list(asked.chips(people)),
        "states": STATES,
        "priorities": Case.Priority.choices,
        "people": people,
        "changes": bulk.OFFERED,
        "csv_url": f"?{asked.query()}{'&' if asked.query() else ''}format=csv",
        "views": saved_views.for_list(me, PLACE),
        "place": PLACE,
        "query": asked.query(),
        "now": clock.now(),
    }
    return render(request, "customers/cases/all.html", context)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def change(request: HttpRequest) -> HttpResponse:
    """Change the cases picked at once; all that match by a job."""
    query, me = request.POST.get("query", ""), person(request)

    def found() -> QuerySet[Case]:
        return Asked.read(QueryDict(query)).cases(me)

    wish = Wish(bulk.ABOUT, request.POST.get("action", ""), query, found, lambda: Count(found().count(), exact=True))
    return answer(request, wish)


def _file(request: HttpRequest, asked: Asked) -> HttpResponse:
    out, zone = StringIO(), workspace_of(request).zone
    write = csv.writer(out, lineterminator="\n").writerow
    write(HEADER)
    for row in asked.cases(person(request)).values_list(*COLUMNS, *DATES):
        write([cell(value, zone) for value in row])
    headers = {"Content-Disposition": 'attachment; filename="cases.csv"'}
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)
