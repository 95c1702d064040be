"""The pages of suggested duplicates."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from customers.duplicates import grouping, history, suggesting
from customers.models import Customer, Likeness
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

PAGE_SIZE = 25


@require_safe
@requires(Can.READ)
def duplicates(request: HttpRequest) -> HttpResponse:
    """Who may be the same, the surest first; or those of whom somebody said that they are not."""
    typed = request.GET.get("q", "").replace("\0", "").strip()[:100]
    dismissed = request.GET.get("show") == "dismissed"
    asked: QuerySet[Any, Any] = suggesting.dismissed(typed) if dismissed else grouping.firsts(typed)
    page = Paginator(asked, PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "q": typed, "dismissed": dismissed}
    if dismissed:
        context["rows"] = [suggesting.shown(each) for each in page]
    else:
        context["groups"] = grouping.groups(each["low"] for each in page)
    if request.headers.get("HX-Target") != "list":
        context |= {"open_count": grouping.firsts().count(), "dismissed_count": suggesting.dismissed().count()}
    part = "_part" if request.headers.get("HX-Target") == "list" else ""
    return render(request, f"customers/duplicates/list{part}.html", context)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that one (`of` the two) is none of those they are suggested with; or, with `again`, take it back."""
    likeness = get_object_or_404(Likeness.objects.select_related("low", "high"), pk=pk)
    if "again" in request.POST:
        suggesting.suggest_again(pk)
        messages.success(request, f"{likeness.low} and {likeness.high} are suggested again.")
    else:
        of = likeness.high_id if request.POST.get("of") != str(likeness.low_id) else likeness.low_id
        suggesting.dismiss(of, grouping.together(of), person(request))
        messages.success(request, f"{likeness.low} and {likeness.high} are not suggested any more.")
    return redirect("customers:duplicates")


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Who may be the same as this customer; a part of their page, or a page of its own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    context = {"customer": customer, "likes": suggesting.like(customer_id), "taken_in": history.taken_in(customer_id)}
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"customers/duplicates/{'panel' if part else 'of_customer'}.html", context)
