"""Who may give how much: for administrators."""

from collections.abc import Iterator

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from loyalty.forms import AuthorityForm, NewAuthorityForm, PolicyForm
from loyalty.models import Authority, Policy
from retention.common.counting import counted
from retention.common.opened import held
from retention.workspace.people import workspace_of
from retention.workspace.roles import Can, requires
from retention.workspace.templatetags.shell import money, plain

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_http_methods(GET_OR_POST)
@requires(Can.ADMINISTER)
@transaction.atomic
def overview(request: HttpRequest) -> HttpResponse:
    """All limits, and what holds for everybody."""
    form = PolicyForm(request.POST or None, instance=held(request, Policy.objects.filter(id=1)).first() or Policy(id=1))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("loyalty:limits")
    rows = Authority.objects.select_related("person", "approver").order_by("person", "role")
    currency = workspace_of(request).currency
    shown = [{"limits": row, "at_most": list(at_most(row, currency))} for row in rows]
    context = {"rows": shown, "form": form, "tab": "limits"}
    return render(request, "loyalty/limits.html", context, status=422 if form.errors else 200)


def at_most(limits: Authority, currency: str) -> Iterator[str]:
    """The limits of one offer, in words."""
    if limits.discount_most is not None:
        yield f"{plain(limits.discount_most)} %"
    if limits.credit_most is not None:
        yield f"a credit of {money(limits.credit_most, currency)}"
    if limits.free_months_most is not None:
        yield counted(limits.free_months_most, "free month")
    if limits.upgrade_most is not None:
        yield f"{counted(limits.upgrade_most, 'month')} of an upgrade"
    if limits.training_most is not None:
        yield counted(limits.training_most, "training session")
    if limits.offer_most is not None:
        yield f"cost {money(limits.offer_most, currency)}"


@require_http_methods(GET_OR_POST)
@requires(Can.ADMINISTER)
def new(request: HttpRequest) -> HttpResponse:
    return _edit(request, NewAuthorityForm(request.POST or None), "New limits")


@require_http_methods(GET_OR_POST)
@requires(Can.ADMINISTER)
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(held(request, Authority.objects.all()), pk=pk)
    return _edit(request, AuthorityForm(request.POST or None, instance=row), f"Limits: {row}")


def _edit(request: HttpRequest, form: AuthorityForm, heading: str) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        row = form.save()
        messages.success(request, f"The limits of {row} are saved. They hold from the next offer on.")
        return redirect("loyalty:limits")
    status = 422 if form.errors else 200
    return render(request, "loyalty/limits_edit.html", {"form": form, "heading": heading}, status=status)


@require_POST
@requires(Can.ADMINISTER)
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Authority.objects.select_related("person"), pk=pk)
    row.delete()
    left = "their role's limits hold" if row.person_id else "they ask for everything (administrators: for nothing)"
    messages.success(request, f"The limits of {row} are removed: from now on {left}.")
    return redirect("loyalty:limits")
