"""Asking for a change to many, what was changed, and taking it back. The lists' own pages say what is picked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from customers.models import ManyChange
from customers.records.listing import SIZES
from customers.records.listing import Count as Counted
from customers.together import changing
from customers.together.actions import Action, Refused
from customers.together.changing import KINDS, NotTheirs
from retention.common.sent import whole
from retention.workspace.jobs import enqueue
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

PAGE = 50
#: How many of those that will change are named.
NAMES = 5
TITLE = 200
#: What a list sends, to be sent again with the value.
SENT = ("action", "query", "scope", "pick")


@dataclass(frozen=True)
class Wish:
    """What a list's form asks for. `matching` gives all the rows that the list shows, `count` how many they are."""

    about: str
    action: str
    query: str
    matching: Callable[[], QuerySet[Any]]
    count: Callable[[], Counted]


class ValueForm(forms.Form):
    """Asks for what a change writes, by the control that fits it; for nothing where it needs no value."""

    def __init__(self, asked: forms.Field | None, said: QueryDict | None) -> None:
        super().__init__(said)
        self.typed = said.getlist("value") if said else []
        if asked:
            self.fields["value"] = asked

    @property
    def text(self) -> str:
        return "\n".join(line for each in self.typed if (line := each.replace("\0", "").strip()))


@dataclass(frozen=True)
class Foreseen:
    """What a change will do: to how many of how many, with some of their names; `number` is None where it is costly."""

    words: str
    of: Counted
    number: int | None = None
    names: Sequence[str] = ()

    @property
    def rest(self) -> int:
        return self.of.number - (self.number or 0)

    @property
    def unnamed(self) -> int:
        return (self.number or 0) - len(self.names)


def takes_all(request: HttpRequest) -> bool:
    return request.POST.get("scope") == "all"


def picked(request: HttpRequest) -> list[int]:
    return [pk for sent in request.POST.getlist("pick")[: max(SIZES)] if (pk := whole(sent))]


def answer(request: HttpRequest, wish: Wish) -> HttpResponse:
    """Ask for the value, tell what will change, and once that is confirmed do it: picked rows at once, all by a job."""
    kind, back = KINDS[wish.about], f"{reverse(KINDS[wish.about].list_view)}?{wish.query}"
    try:
        action = changing.action_of(wish.about, wish.action)
        if not takes_all(request) and not picked(request):
            raise Refused(f"Pick some {wish.about} first.")
    except Refused as reason:
        messages.error(request, f"{reason} Nothing was changed.")
        return redirect(back)
    confirmed, asked = "confirmed" in request.POST, action.ask(_rows(request, wish))
    form = ValueForm(asked, request.POST if confirmed or "value" in request.POST or not asked else None)
    fits = _fits(form, action)
    if confirmed and fits:
        return _do(request, wish, action, form.text)
    context = {
        "kind": kind,
        "about": ManyChange.About(wish.about).label,
        "action": action,
        "form": form,
        "back": back,
        "foreseen": _foresee(request, wish, action, form.text) if fits else None,
        "number": wish.count() if takes_all(request) else Counted(len(picked(request)), exact=True),
        "sent": [(name, each) for name in SENT for each in request.POST.getlist(name)],
    }
    if request.headers.get("HX-Target") == "will":
        return render(request, "customers/together/will.html", context)
    return render(request, "customers/together/change.html", context, status=422 if form.errors else 200)


def _rows(request: HttpRequest, wish: Wish) -> QuerySet[Any]:
    if takes_all(request):
        return wish.matching()
    return KINDS[wish.about].model._default_manager.filter(pk__in=picked(request))


def _fits(form: ValueForm, action: Action) -> bool:
    if not form.is_valid():
        return False
    try:
        action.check(form.text)
    except Refused as reason:
        form.add_error("value", str(reason))
    return not form.errors


def _foresee(request: HttpRequest, wish: Wish, action: Action, text: str) -> Foreseen:
    words = action.words(text)
    if takes_all(request) and not (number := wish.count()).exact:
        return Foreseen(words, number)
    return _counted(words, _rows(request, wish), action.to(text))


def _counted(words: str, rows: QuerySet[Any], needing: Q) -> Foreseen:
    change = rows.filter(needing)
    names = [str(row) for row in change.order_by("pk")[:NAMES]]
    return Foreseen(words, Counted(rows.count(), exact=True), change.count(), names)


def _do(request: HttpRequest, wish: Wish, action: Action, text: str) -> HttpResponse:
    if takes_all(request):
        spec = {"query": wish.query, "action": wish.action, "value": text}
        row = enqueue(f"{wish.about}.bulk", action.words(text)[:TITLE], spec, person(request))
        return redirect("workspace:job", row.pk)
    change = changing.begin(wish.about, wish.action, text, person(request))
    number, kind = changing.apply(change, picked(request)), KINDS[wish.about]
    said = f"{change}: {number} {kind.noun}{'' if number == 1 else 's'} changed."
    messages.success(request, said, extra_tags=reverse("customers:together", args=[change.pk]))
    return redirect(f"{reverse(kind.list_view)}?{wish.query}")


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
    kind = KINDS[change.about]
    page = Paginator(change.rows.order_by("row"), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "change": change,
        "kind": kind,
        "number": page.paginator.count,
        "page": page,
        "rows": kind.model._default_manager.filter(pk__in=[line.row for line in page]).order_by("pk"),
        "may_undo": _may(request, change),
    }
    return render(request, "customers/together/detail.html", context)


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
    found: ManyChange = get_object_or_404(ManyChange.objects.select_related("by", "undone_by", "job"), pk=pk)
    return found
