"""The pages of a merge: finding the other one, both side by side, what was done, undoing it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.duplicates import comparing, history, merging, moving, suggesting, undoing
from customers.models import Customer, Merge
from customers.records.filters import Filters, matching
from retention.common.text_search import beginnings
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

FOUND, PAGE_SIZE = 20, 50


@require_safe
@requires(Can.EDIT_CUSTOMERS)
def find(request: HttpRequest, pk: int) -> HttpResponse:
    """Find whom a customer is to be merged with."""
    customer = get_object_or_404(Customer, pk=pk)
    typed = request.GET.get("q", "").replace("\0", "").strip()[:100]
    found = matching(Filters(q=typed)).exclude(pk=pk).order_by("pk")[:FOUND] if beginnings(typed) else ()
    context = {"customer": customer, "q": typed, "found": found, "likes": suggesting.like(pk)}
    return render(request, "customers/duplicates/find.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def compare(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Both side by side; sent, they are made one, of whom `pk` stays."""
    if request.method == "POST" and (made := history.made(other, pk)):
        return redirect("customers:merge", made.pk)
    both = Customer.objects.select_related("owner", "team")
    survivor, loser = get_object_or_404(both, pk=pk), get_object_or_404(both.exclude(pk=pk), pk=other)
    currency = workspace_of(request).currency
    rows = comparing.choices(survivor, loser, request.POST, currency)
    form = comparing.MergeForm(request.POST or None, initial={"opened": comparing.opened(survivor, loser)})
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        try:
            made = merging.merge(comparing.wanted(survivor, loser, form, rows), person(request))
        except moving.CannotMerge as reason:
            form = comparing.again(form, survivor, loser)
            form.add_error(None, str(reason))
            status = 409
        else:
            messages.success(request, f"{loser} is now part of {survivor}.")
            return redirect("customers:merge", made.pk)
    context = {"survivor": survivor, "loser": loser, "rows": rows, "form": form} | _about(survivor, loser)
    return render(request, "customers/duplicates/compare.html", context, status=status)


def _about(survivor: Customer, loser: Customer) -> dict[str, Any]:
    said = [each.consents.order_by("channel") for each in (survivor, loser)]
    stays, goes = comparing.told_apart(survivor, loser)
    counts = moving.counts([survivor.pk, loser.pk])
    return {"counts": counts, "consents": said, "stays": stays, "goes": goes}


@require_safe
@requires(Can.READ)
def merges(request: HttpRequest) -> HttpResponse:
    """What was merged, the latest first."""
    every = Merge.objects.select_related("by").defer("left", "stayed")
    page = Paginator(every, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "customers/duplicates/merges.html", {"page": page})


@require_safe
@requires(Can.READ)
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """What a merge did, and its undoing."""
    made = get_object_or_404(Merge.objects.select_related("by", "undone_by"), pk=pk)
    obstacle = "" if made.undone_at else undoing.obstacle(made)
    context = {"made": made, "moved": history.moved(made), "obstacle": obstacle}
    context["in_the_way"] = undoing.in_the_way(made) if obstacle else None
    context["next"] = () if made.undone_at else suggesting.like(made.survivor_id)
    return render(request, "customers/duplicates/merge.html", context)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Merge, pk=pk)
    try:
        made = undoing.undo(pk, person(request))
    except undoing.CannotUndo as reason:
        messages.error(request, f"It could not be undone. {reason}")
    else:
        messages.success(request, f"{made.loser_name} and {made.survivor_name} are two again.")
    return redirect("customers:merge", pk)
