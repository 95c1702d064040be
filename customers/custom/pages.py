"""The settings of custom fields: for administrators."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.custom import definitions
from customers.custom.forms import FieldForm
from customers.models import CustomField
from retention.common.opened import held
from retention.workspace.roles import Can, requires

PLACE = "customers:custom_fields"


@require_safe
@requires(Can.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponse:
    """What is asked for of whom, in its order; below, what was put away."""
    fields = list(CustomField.objects.all())
    groups = [
        (about, label, [field for field in fields if field.about == about and not field.archived_at])
        for about, label in CustomField.About.choices
    ]
    context = {"groups": groups, "archived": [field for field in fields if field.archived_at], "any": bool(fields)}
    return render(request, "customers/custom/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
def new(request: HttpRequest, about: str) -> HttpResponse:
    if about not in CustomField.About.values:
        raise Http404
    form = FieldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            field = definitions.define(about, said["key"], said["type"], form.draft)
        except definitions.Refused as reason:
            form.add_error(reason.field or None, str(reason))
        else:
            messages.success(request, f"“{field}” is there: in the form, in lists, segments, imports and texts.")
            return redirect(PLACE)
    context = {"form": form, "about": CustomField.About(about).label.lower()}
    return render(request, "customers/custom/edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    field = get_object_or_404(held(request, CustomField.objects.all()), pk=pk)
    form = FieldForm(request.POST or None, field=field)
    if request.method == "POST" and form.is_valid():
        try:
            definitions.change(pk, form.draft)
        except definitions.Refused as reason:
            form.add_error(reason.field or None, str(reason))
        else:
            messages.success(request, "Saved.")
            return redirect(PLACE)
    return render(request, "customers/custom/edit.html", {"form": form, "field": field})


@require_POST
@requires(Can.ADMINISTER)
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a field up or down, put it away, or bring it back."""
    field = get_object_or_404(CustomField, pk=pk)
    match request.POST.get("do"):
        case "up":
            definitions.move(pk, up=True)
        case "down":
            definitions.move(pk, up=False)
        case "archive":
            definitions.archive(pk)
            messages.success(request, f"“{field}” is put away. What was typed stays; bring it back at any time.")
        case "restore":
            definitions.restore(pk)
            messages.success(request, f"“{field}” is back.")
    return redirect(PLACE)
