"""Making several of one group one at once: whoever is picked goes into the one who stays."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from customers.duplicates import grouping, history
from customers.duplicates.merging_group import Asked, Done, merge_each
from customers.models import Customer
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

#: So many of a group are shown; the others come with the next look.
MOST = 20


class GroupForm(forms.Form):
    """Who is picked and why; which form it is, and the states that were looked at, by id."""

    pick = forms.TypedMultipleChoiceField(coerce=int, error_messages={"required": "Pick who is the same."})
    why = forms.CharField(
        max_length=300,
        required=False,
        label="Why they are the same",
        help_text="Kept with each merge and on the timeline.",
    )
    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    opened = forms.JSONField(widget=forms.HiddenInput)

    def __init__(self, survivor: Customer, others: Sequence[Customer], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pick = self.fields["pick"]
        assert isinstance(pick, forms.TypedMultipleChoiceField)  # noqa: S101
        pick.choices = [(each.pk, str(each)) for each in others]
        self.initial["opened"] = {each.pk: each.updated_at.isoformat() for each in (survivor, *others)}

    def clean_opened(self) -> dict[int, datetime]:
        try:
            return {int(pk): datetime.fromisoformat(at) for pk, at in self.cleaned_data["opened"].items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise forms.ValidationError("Open the group again and repeat the choice.") from error


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def merge_group(request: HttpRequest, pk: int) -> HttpResponse:
    """Those who may be the same as `pk`, who stays; sent, whoever is picked goes into them."""
    picked = [int(each) for each in request.POST.getlist("pick") if each.isdecimal() and len(each) < 19][:MOST]
    if picked and all(history.made(each, pk) for each in picked):
        return redirect("customers:detail", pk)
    survivor = get_object_or_404(Customer, pk=pk)
    others = list(Customer.objects.filter(pk__in=grouping.together(pk) - {pk}).order_by("pk")[:MOST])
    form = GroupForm(survivor, others, request.POST or None)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        asked = Asked(said["why"], said["opened"], said["once"], workspace_of(request).currency)
        done = merge_each(pk, sorted(said["pick"]), asked, person(request))
        if done.taken:
            _tell(request, survivor, done)
            return redirect("customers:detail", pk)
        form = GroupForm(survivor, others)
        messages.error(request, f"{done.stopped} Nothing was changed.")
        status = 409
    context = {"survivor": survivor, "others": others, "form": form, "picked": picked or [each.pk for each in others]}
    return render(request, "customers/duplicates/merge_group.html", context, status=status)


def _tell(request: HttpRequest, survivor: Customer, done: Done) -> None:
    *rest, last = done.taken
    names = f"{', '.join(rest)} and {last} are" if rest else f"{last} is"
    messages.success(request, f"{names} now part of {survivor}. Each can be undone by itself, the last one first.")
    if done.stopped:
        messages.error(request, f"It went no further. {done.stopped}")
