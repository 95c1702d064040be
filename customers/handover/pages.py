"""Handing a book over: the form, what it will do, the deed, and the summary for whoever receives it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.handover import handing, summary
from customers.handover.forms import HandOverForm, NoteForm
from customers.handover.handing import NotTheirs, Refused, may
from customers.models import Customer, HandedCustomer, HandOver
from retention.common.opened import held
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

GET_OR_POST = ["GET", "HEAD", "POST"]
PAGE = 50
RECENT = 20
MOST_BOXES = 300


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponse:
    """The latest hand-overs."""
    rows = HandOver.objects.select_related("giver", "receiver", "by").annotate(number=Count("lines"))[:RECENT]
    return render(request, "customers/handover/list.html", {"rows": rows})


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest) -> HttpResponse:
    """The form, then the dry run, then the deed; where the book has changed since the dry run, that again.

    Each customer has a box in the dry run, as long as there are not too many to look through.
    """
    by = person(request)
    form = HandOverForm(by, request.POST or None, initial={"giver": request.GET.get("giver") or by.pk})
    if request.method != "POST" or not form.is_valid() or "back" in request.POST:
        return _form(request, {"form": form}, 422 if form.errors else 200)
    try:
        tally, offered = handing.rehearse(form.wish, by), form.wish.offered().count()
        if "confirmed" not in request.POST or form.cleaned_data["seen"] != offered:
            changed = "confirmed" in request.POST
            context = {"form": form, "tally": tally, "changed": changed} | _boxes(form.wish, offered)
            return _form(request, context, 409 if changed else 200)
        row = handing.hand_over(form.wish, by)
    except NotTheirs as error:
        raise PermissionDenied from error
    except Refused as reason:
        form.add_error(None, str(reason))
        return _form(request, {"form": form}, 422)
    messages.success(request, f"Handed to {row.receiver}. They have a task to read this summary.")
    return redirect("customers:handover", row.pk)


def _boxes(wish: handing.Wish, offered: int) -> dict[str, Any]:
    """Those worth most first, each with whether it is ticked; none where they are too many."""
    rows = wish.offered().select_related("facts").order_by(F("facts__mrr").desc(nulls_last=True), "pk")
    found = rows if offered <= MOST_BOXES else rows.none()
    return {"offered": offered, "boxes": [(row, wish.only is None or row.pk in wish.only) for row in found]}


def _form(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    return render(request, "customers/handover/new.html", context, status=status)


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The summary, as each customer stands now; `format=csv` gives it as a file."""
    row = _row(pk)
    if request.GET.get("format") == "csv":
        text = summary.as_file(row, workspace_of(request).zone)
        headers = {"Content-Disposition": f'attachment; filename="hand-over-{pk}.csv"'}
        return StreamingHttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
    page = Paginator(summary.rows(row), PAGE).get_page(request.GET.get("page"))
    context = {
        "handover": row,
        "page": page,
        "lines": summary.lines(list(page.object_list)),
        "tally": handing.tally(row),
        "still": Customer.objects.filter(handed__handover=row, owner=row.receiver).count(),
        "theirs": may(person(request), row.giver),
    }
    return render(request, "customers/handover/detail.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """What the giver notes about one of the customers."""
    with transaction.atomic():
        line = get_object_or_404(held(request, HandedCustomer.objects.all()), pk=pk)
        row = _row(line.handover_id)
        if not may(person(request), row.giver):
            raise PermissionDenied
        form = NoteForm(request.POST or None, instance=line)
        if request.method == "POST" and form.is_valid():
            form.save()
            messages.success(request, "Noted.")
            return redirect("customers:handover", row.pk)
    status = 200 if not form.errors else 409 if form.non_field_errors() else 422
    context = {"form": form, "handover": row, "customer": line.customer}
    return render(request, "customers/handover/note.html", context, status=status)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    row = _row(pk)
    try:
        number = handing.undo(pk, person(request))
    except NotTheirs as error:
        raise PermissionDenied from error
    except Refused as reason:
        messages.error(request, str(reason))
    else:
        kept = row.lines.count() - number
        stay = f" {kept:,} are somebody else's by now and stay with them." if kept else ""
        messages.success(request, f"Taken back: {number:,} customer{'' if number == 1 else 's'}.{stay}")
    return redirect("customers:handover", pk)


def _row(pk: int) -> HandOver:
    found: HandOver = get_object_or_404(HandOver.objects.select_related("giver", "receiver", "by", "undone_by"), pk=pk)
    return found
