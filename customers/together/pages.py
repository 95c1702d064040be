"""Asking for a change to many, what was changed, and taking it back. The lists' own pages say what is picked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from customers.models import ManyChange
from customers.records.listing import SIZES
from customers.records.listing import Count as Counted
from customers.together import changing
from customers.together.actions import Refused
from customers.together.changing import KINDS, NotTheirs
from retention.common.sent import whole
from retention.workspace.jobs import enqueue
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

PAGE = 50


@dataclass(frozen=True)
class Wish:
    """What a list's form asks for. `count` tells how many all are; `sent` is what says it again, once confirmed."""

    about: str
    action: str
    value: str
    query: str
    count: Callable[[], Counted]
    sent: Iterable[tuple[str, str]]


def takes_all(request: HttpRequest) -> bool:
    return request.POST.get("scope") == "all"


def picked(request: HttpRequest) -> list[int]:
    return [pk for sent in request.POST.getlist("pick")[: max(SIZES)] if (pk := whole(sent))]


def answer(request: HttpRequest, wish: Wish) -> HttpResponse:
    """Change those picked at once; all that match by a job, once it was said how many they are."""
    kind, back = KINDS[wish.about], f"{reverse(KINDS[wish.about].list_view)}?{wish.query}"
    try:
        asked = changing.action_of(wish.about, wish.action)
        asked.check(wish.value)
        if not takes_all(request):
            _at_once(request, wish)
            return redirect(back)
    except Refused as reason:
        messages.error(request, f"{reason} Nothing was changed.")
        return redirect(back)
    words = asked.words(wish.value)
    if "confirmed" not in request.POST:
        context = {"words": words, "count": wish.count(), "sent": wish.sent, "back": back, "kind": kind}
        return render(request, "customers/change_all.html", context)
    spec = {"query": wish.query, "action": wish.action, "value": wish.value}
    return redirect("workspace:job", enqueue(f"{wish.about}.bulk", words, spec, person(request)).pk)


def _at_once(request: HttpRequest, wish: Wish) -> None:
    change = changing.begin(wish.about, wish.action, wish.value, person(request))
    number = changing.apply(change, picked(request))
    said = f"{change}: {number} {KINDS[wish.about].noun}{'' if number == 1 else 's'} changed."
    messages.success(request, said, extra_tags=reverse("customers:together", args=[change.pk]))


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponse:
    """What was changed for many at once, the latest first."""
    every = ManyChange.objects.select_related("by", "undone_by").annotate(number=Count("rows")).order_by("-at", "-pk")
    page = Paginator(every, PAGE).get_page(request.GET.get("page"))
    return render(request, "customers/together/list.html", {"page": page})


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    change = _change(pk)
    context: dict[str, Any] = {"change": change, "kind": KINDS[change.about], "number": change.rows.count()}
    return render(request, "customers/together/detail.html", context | {"may_undo": _may(request, change)})


def _may(request: HttpRequest, change: ManyChange) -> bool:
    try:
        changing.may_undo(change, person(request))
    except (Refused, NotTheirs):
        return False
    return person(request).can(Can.EDIT_CUSTOMERS)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a change back: many rows by a job."""
    change, by = _change(pk), person(request)
    try:
        changing.may_undo(change, by)
        if (number := change.rows.count()) > changing.AT_A_TIME:
            return redirect("workspace:job", enqueue(changing.UNDO, f"Taking back: {change}", {"change": pk}, by).pk)
        done = changing.undo(pk, by)
    except NotTheirs as error:
        raise PermissionDenied from error
    except Refused as reason:
        messages.error(request, str(reason))
    else:
        stay = f" {number - done:,} were changed since and stay as they are." if number > done else ""
        messages.success(
            request, f"Taken back for {done:,} {KINDS[change.about].noun}{'' if done == 1 else 's'}.{stay}"
        )
    return redirect("customers:together", pk)


def _change(pk: int) -> ManyChange:
    found: ManyChange = get_object_or_404(ManyChange.objects.select_related("by", "undone_by"), pk=pk)
    return found
