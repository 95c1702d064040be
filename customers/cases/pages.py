"""A customer's cases, and one case with what can be done about it."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Case as When
from django.db.models import IntegerField, Q, Value
from django.db.models import When as Arm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.cases import handling
from customers.cases.forms import ActForm, CaseForm, CaseOfOneForm
from customers.models import Case, Customer
from retention.common import clock
from retention.common.opened import held
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

MOST = 30
GET_OR_POST = ["GET", "HEAD", "POST"]
DONE = {"answer": "Noted: it is answered.", "resolve": "It is resolved.", "reopen": "It is open again."}
ACTS = {"answer": handling.answer, "resolve": handling.resolve, "reopen": handling.reopen}


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer's cases: a part of their page, or a page of its own. Those still to be resolved first."""
    customer = get_object_or_404(Customer, pk=customer_id)
    resolved = When(Arm(Q(state=Case.State.RESOLVED), then=Value(1)), default=Value(0), output_field=IntegerField())
    cases = customer.cases.select_related("assignee").order_by(resolved, "-opened_at", "-pk")[:MOST]
    template = "panel.html" if request.htmx else "list.html"  # type: ignore[attr-defined]
    return render(request, f"customers/cases/{template}", {"customer": customer, "cases": cases})


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    form = CaseForm(request.POST or None, initial={"assignee": person(request).pk})
    if request.method == "POST" and form.is_valid():
        case = handling.open_case(customer, **form.values)
        messages.success(request, "The case is open.")
        return redirect("customers:case", case.pk)
    context = {"form": form, "customer": customer}
    return render(request, "customers/cases/form.html", context, status=422 if form.errors else 200)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def open_one(request: HttpRequest) -> HttpResponse:
    """A case of whoever is chosen; ?customer= fills the customer in."""
    usual = {"assignee": person(request).pk, "customer": request.GET.get("customer", "")}
    form = CaseOfOneForm(request.POST or None, initial=usual)
    if request.method == "POST" and form.is_valid():
        case = handling.open_case(form.cleaned_data["customer"], **form.values)
        messages.success(request, "The case is open.")
        return redirect("customers:case", case.pk)
    context = {"form": form, "title": "Open a case", "place": "Cases", "save": "Open the case"}
    context["back"] = reverse("customers:cases")
    return render(request, "customers/for_one.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(Case.objects.select_related("customer", "assignee"), pk=pk)
    context = {"case": case, "customer": case.customer, "now": clock.now()}
    return render(request, "customers/cases/detail.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    case = get_object_or_404(held(request, Case.objects.all()), pk=pk)
    named = Case(pk=pk, subject=case.subject)  # the form writes what was typed on the case itself
    form = CaseForm(request.POST or None, instance=case)
    if request.method == "POST" and form.is_valid():
        handling.change(pk, **form.values)
        messages.success(request, "Saved.")
        return redirect("customers:case", pk)
    context = {"form": form, "customer": case.customer, "case": named}
    return render(request, "customers/cases/form.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Answered, resolved, opened again, or rated."""
    get_object_or_404(Case, pk=pk)
    form = ActForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("That can't be done to a case. Reload the page and try again.")
    what = form.cleaned_data["act"]
    try:
        if what == "rate":
            handling.rate(pk, form.cleaned_data["rating"])
        else:
            ACTS[what](pk)
    except handling.Refused as reason:
        messages.error(request, f"{reason} Somebody else may have been at it; nothing was changed.")
    else:
        messages.success(request, DONE.get(what, "The rating is kept."))
    return redirect("customers:case", pk)
