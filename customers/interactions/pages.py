"""The interactions of a customer: a panel, each with its own page, the form, and the files."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.interactions import keeping
from customers.interactions.forms import InteractionForm
from customers.interactions.sniffing import FileRefused
from customers.models import Attachment, Customer, Interaction
from customers.work.acting import Done, acted
from customers.work.elsewhere import Begun, begun
from customers.work.moments import Moment
from customers.work.ranking import WHOSE
from retention.common import clock
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

LATEST, PAGE = 5, 50
FORM = "customers/interactions/edit.html"


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The latest, as a part of the customer's page; on a page of its own, all of them."""
    customer = get_object_or_404(Customer, pk=customer_id)
    rows = _kept().filter(customer=customer).order_by("-happened_at", "-pk")
    context = {"customer": customer, "kinds": Interaction.Kind.choices}
    if request.headers.get("HX-Request") == "true":
        found = list(rows[: LATEST + 1])
        more = {"interactions": found[:LATEST], "more": len(found) > LATEST}
        return render(request, "customers/interactions/panel.html", context | more)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(request, "customers/interactions/list.html", context | {"interactions": page, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest, customer_id: int) -> HttpResponse:
    """?need= names the line of Today that it is about: unless that is unticked, it is done with."""
    customer = get_object_or_404(Customer, pk=customer_id)
    line = _line(request, customer)
    context = {"customer": customer, "line": line, "back": _back(request, customer_id, None)}
    if request.method != "POST":
        asked = request.GET.get("kind", "")
        kind = asked if asked in Interaction.Kind.values else Interaction.Kind.NOTE
        form = InteractionForm(customer, initial={"kind": kind, "happened_at": clock.now()})
        return render(request, FORM, context | {"form": form})
    form = InteractionForm(customer, request.POST, {"attached": request.FILES.getlist("attached")})
    if not form.is_valid():
        return render(request, FORM, context | {"form": form}, status=422)
    made = keeping.log(
        customer, form.values, person(request), form.cleaned_data["attached"], workspace_of(request).zone
    )
    done = acted(line.asked, person(request), workspace_of(request).zone) if line and "done" in request.POST else None
    messages.success(request, f"{made.get_kind_display()} logged.{_told(form)}" + (f" {done.said}" if done else ""))
    return redirect(_back(request, customer_id, done))


def _line(request: HttpRequest, customer: Customer) -> Begun | None:
    if "need" not in request.GET:
        return None
    return begun(request.GET["need"], customer.pk, Moment(clock.now(), workspace_of(request).zone))


def _back(request: HttpRequest, customer_id: int, done: Done | None) -> str:
    """To the list of Today that one came from, or to the customer."""
    whose = request.GET.get("whose", "")
    if whose not in WHOSE:
        return reverse("customers:detail", args=[customer_id])
    undo = {"undo": done.undo} if done and done.undo else {}
    return f"{reverse('customers:today')}?{urlencode({'whose': whose} | undo)}"


def _told(form: InteractionForm) -> str:
    said, mentioned = form.cleaned_data, form.values["mentioned"]
    names = ", ".join(map(str, mentioned))
    unknown = ", ".join(f"@{name}" for name in keeping.nobodys(said["text"], mentioned))
    step = f" The next step is a task of yours, by {said['next_on']:%-d %b %Y}." if said["next_step"] else ""
    told = f" Told: {names}." if names else ""
    return step + told + (f" Nobody who could be told is called {unknown}." if unknown else "")


@require_safe
@requires(Can.READ)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """An interaction with what it said before. One that was removed is there for whoever may bring it back.

    Others, whom a task may have led here, learn that it is gone, and of whom it was.
    """
    made = get_object_or_404(_all(), pk=pk)
    theirs = keeping.is_theirs(made, person(request))
    if made.removed_at and not theirs:
        return render(request, "customers/interactions/removed.html", {"interaction": made}, status=404)
    context = {"interaction": made, "theirs": theirs, "customer": made.customer}
    context |= {"before": made.before.select_related("changed_by")}
    return render(request, "customers/interactions/one.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    made = get_object_or_404(_kept(), pk=pk)
    if not keeping.is_theirs(made, person(request)):
        raise PermissionDenied
    context = {"customer": made.customer, "interaction": made}
    if request.method != "POST":
        initial = {name: getattr(made, name) for name in keeping.FIELDS} | {"opened": made.updated_at.isoformat()}
        return render(request, FORM, context | {"form": InteractionForm(made.customer, initial=initial)})
    form = InteractionForm(made.customer, request.POST, {"attached": request.FILES.getlist("attached")})
    if form.is_valid() and _changed(request, made, form):
        return redirect("customers:interaction", pk)
    return render(request, FORM, context | {"form": form}, status=422)


def _changed(request: HttpRequest, made: Interaction, form: InteractionForm) -> bool:
    """Store what was typed; whether it is stored. Otherwise the form says why and keeps all of it."""
    files, zone = form.cleaned_data["attached"], workspace_of(request).zone
    try:
        keeping.change(made, form.values, person(request), files, form.opened_at, zone)
    except keeping.ChangedMeanwhile as other:
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["opened"] = other.stands.updated_at.isoformat()  # type: ignore[index]
        form.add_error(None, "It was saved elsewhere while you had it open. Saving again puts what you typed in place.")
        form.add_error("text", f"It says now: {other.stands.text[:500]}")
        return False
    except FileRefused as reason:
        form.add_error("attached", str(reason))
        return False
    messages.success(request, "Saved. What it said before is kept.")
    return True


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove it, or bring it back."""
    made = get_object_or_404(_all(), pk=pk)
    back = request.POST.get("do") == "restore"
    try:
        (keeping.restore if back else keeping.remove)(made, person(request))
    except keeping.NotTheirs as refused:
        raise PermissionDenied from refused
    messages.success(request, "It is back." if back else "Removed. You can bring it back here.")
    return redirect("customers:interaction", pk)


@require_safe
@requires(Can.READ)
def attachment(request: HttpRequest, pk: uuid.UUID) -> FileResponse:
    """A file, to be kept and never shown: whatever it holds, the browser runs none of it on this address."""
    row = get_object_or_404(Attachment.objects.select_related("interaction"), pk=pk)
    made = row.interaction
    if made.removed_at and not keeping.is_theirs(made, person(request)):
        raise Http404
    response = FileResponse(row.file.open("rb"), as_attachment=True, filename=row.name, content_type=row.kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def _all() -> QuerySet[Interaction]:
    return Interaction.objects.select_related("customer", "author", "contact").prefetch_related("attachments")


def _kept() -> QuerySet[Interaction]:
    return _all().filter(removed_at=None)
