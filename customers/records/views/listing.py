"""The list of customers, its export, and changes to many at once."""

import uuid
from collections.abc import Iterable
from dataclasses import replace

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from customers.custom.asking import filter_control
from customers.custom.definitions import every
from customers.lists import pages as lists
from customers.lists.asking import ALL
from customers.models import Customer, CustomField, Stage
from customers.records import bulk, choices, exporting
from customers.records.columns import CUSTOM, chosen, offered
from customers.records.filters import HEALTH, Filters, chips, matching
from customers.records.listing import SIZES, Cut, count, page
from customers.records.ordering import orders
from customers.records.rows import shown
from customers.together.pages import Wish, answer, picked, takes_all
from retention.common.headings import Heading, headings
from retention.workspace import saved_views
from retention.workspace.jobs import enqueue
from retention.workspace.models import Job
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

PLACE = "customers:list"


@require_safe
@requires(Can.READ)
def customer_list(request: HttpRequest) -> HttpResponse:
    is_part = request.headers.get("HX-Target") == "list"
    views = [] if is_part else saved_views.for_list(person(request), PLACE)
    if opening := saved_views.opening(views, request.GET):
        return redirect(f"{request.path}?{opening}")
    offers, known = choices.offered(), every()
    fields = [field for field in known if not field.archived_at]
    filters, cut = Filters.read(request.GET), Cut.read(request.GET, fields)
    customers = matching(filters)
    named = {"owner": offers.owners, "segment": offers.segments, "team": offers.teams}
    columns = offered(fields)
    extras = chosen(cut.columns, columns)
    context = {
        "filters": filters,
        "chips": [replace(chip, without=_cut_so(chip.without, cut)) for chip in chips(filters, named, known)],
        "cleared": together(Filters(), cut),
        "cut": cut,
        "headings": (heads := headings_of(filters, cut, fields)),
        "page": (part := page(customers, cut)),
        "rows": shown(part.rows, workspace_of(request).currency, extras),
        "count": count(customers, by_statistics=filters.is_one_column),
        "query": together(filters, cut),
        "stages": Stage.choices,
        "healths": HEALTH,
        "offers": offers,
        "sizes": SIZES,
        "extras": extras,
        "more": [(extra, heads.get(extra.key)) for extra in extras],
        "changes": bulk.offered(fields),
    }
    if is_part:
        return lists.part(request, "customers/list_part.html", context)
    context |= {"views": views, "place": PLACE, "columns": columns.values()}
    context["asked"] = [(CUSTOM + field.key, field.label, asking(field, filters)) for field in fields if field.filters]
    return render(request, "customers/list.html", context)


def asking(field: CustomField, filters: Filters) -> SafeString:
    """The control that narrows the list by a custom field."""
    return filter_control(field, CUSTOM + field.key, dict(filters.custom).get(field.key, ""))


def together(filters: Filters, cut: Cut) -> str:
    """The query string of the list without its page."""
    return _cut_so(filters.query(), cut)


def _cut_so(query: str, cut: Cut) -> str:
    """The filters of a query string, in the order, size and columns that a list has."""
    said = QueryDict(query, mutable=True)
    if cut.sort != "name":
        said["sort"] = cut.sort
    if cut.size != SIZES[1]:
        said["size"] = str(cut.size)
    said.setlist("column", list(cut.columns))
    return said.urlencode()


def headings_of(filters: Filters, cut: Cut, fields: Iterable[CustomField]) -> dict[str, Heading]:
    offered = orders(fields)

    def address(sort: str) -> str:
        order = offered[sort.removeprefix("-")]
        return "?" + (together(filters, Cut(order, sort.startswith("-"), cut.size, columns=cut.columns)) or ALL)

    first_down = [order.name for order in offered.values() if order.first_down]
    return headings({order.name: order.label for order in offered.values()}, cut.sort, address, first_down)


@require_POST
@requires(Can.READ)
def export(request: HttpRequest) -> HttpResponse:
    """What the list shows, or those picked, as a file. Many rows are no quick answer: a job writes them."""
    query = request.POST.get("query", "")
    said = QueryDict(query)
    customers = matching(Filters.read(said))
    if not takes_all(request):
        customers = customers.filter(pk__in=picked(request))
    elif not count(customers).exact:
        row = enqueue("customers.export", "Export of customers", {"query": query}, person(request))
        return redirect("workspace:job", row.pk)
    headers = {"Content-Disposition": 'attachment; filename="customers.csv"'}
    text = "".join(exporting.lines(customers, said))
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@requires(Can.READ)
def export_file(request: HttpRequest, pk: uuid.UUID) -> FileResponse | HttpResponse:
    """The file that an export job wrote, for whoever asked for it."""
    row = get_object_or_404(Job, pk=pk, kind="customers.export", created_by=person(request), state=Job.State.DONE)
    path = exporting.path_of(row)
    if not path.exists():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename="customers.csv", content_type="text/csv")


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def change(request: HttpRequest) -> HttpResponse:
    """Change those picked at once; all that match by a job."""
    query = request.POST.get("query", "")

    def found() -> QuerySet[Customer]:
        return matching(Filters.read(QueryDict(query)))

    wish = Wish(bulk.ABOUT, request.POST.get("action", ""), query, found, lambda: count(found()))
    return answer(request, wish)
