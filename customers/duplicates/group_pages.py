"""Making several of one group one at once: whoever is picked goes into the one who stays."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from customers.duplicates import grouping, history
from customers.duplicates.choosing import Differing, differing
from customers.duplicates.comparing import TAGS
from customers.duplicates.merging_group import Asked, Done, merge_each
from customers.models import Consent, Customer
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, requires

#: So many of a group are shown; the others come with the next look.
MOST = 20
#: What each has said about marketing mail, read once for all of them.
SAID = Prefetch("consents", Consent.objects.order_by("channel"))


class GroupForm(forms.Form):
    """Who is picked, which values stay, and why; which form it is, and the states that were looked at, by id."""

    pick = forms.TypedMultipleChoiceField(coerce=int, error_messages={"required": "Pick who is the same."})
    why = forms.CharField(
        max_length=300,
        required=False,
        label="Why they are the same",
        help_text="Kept with each merge and on the timeline.",
    )
    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    opened = forms.CharField(widget=forms.HiddenInput, max_length=100 * MOST)

    def __init__(self, survivor: Customer, others: Sequence[Customer], currency: str, said: QueryDict | None) -> None:
        super().__init__(said)
        self.names = {each.pk: str(each) for each in (survivor, *others)}
        self.survivor_id = survivor.pk
        pick = self.fields["pick"]
        assert isinstance(pick, forms.TypedMultipleChoiceField)  # noqa: S101
        pick.choices = [(each.pk, str(each)) for each in others]
        self.initial["opened"] = opened([survivor, *others])
        self.differing = differing(survivor, others, currency)
        for row in self.differing:
            self.fields[row.name] = _asked(row)

    def choices(self) -> Iterator[forms.BoundField]:
        """The fields in which they differ."""
        return (self[row.name] for row in self.differing)

    def clean_opened(self) -> dict[int, datetime]:
        try:
            states = (each.split("=") for each in self.cleaned_data["opened"].split())
            return {int(pk): datetime.fromisoformat(at) for pk, at in states}
        except ValueError as error:
            raise forms.ValidationError("Open the group again and repeat the choice.") from error

    def clean(self) -> dict[str, Any]:
        """`stays`: of each field, who of those who become one has the value that stays."""
        said = super().clean() or {}
        among = {self.survivor_id, *said.get("pick", ())}
        said["stays"] = {}
        for row in self.differing:
            chosen = said.get(row.name)
            holder = row.holder(chosen, among) if chosen else None
            if holder:
                said["stays"][row.name] = holder
            elif chosen and "pick" in said:
                self.add_error(row.name, f"{self.names[chosen]} is not picked. Pick them too, or choose another value.")
        return said


def _asked(row: Differing) -> forms.TypedChoiceField:
    values = [(str(ids[0]), words) for words, ids in row.values.items()]
    if row.name == TAGS:
        values = [("", "Those of all"), *((pk, f"Only {words}") for pk, words in values)]
    return forms.TypedChoiceField(choices=values, coerce=int, empty_value=None, required=False, label=row.label)


def opened(customers: Sequence[Customer]) -> str:
    return " ".join(f"{each.pk}={each.updated_at.isoformat()}" for each in customers)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.EDIT_CUSTOMERS)
def merge_group(request: HttpRequest, pk: int) -> HttpResponse:
    """Those who may be the same as `pk`, who stays; sent, whoever is picked goes into them."""
    picked = [int(each) for each in request.POST.getlist("pick") if each.isdecimal() and len(each) < 19][:MOST]
    if picked and all(history.made(each, pk) for each in picked):
        return redirect("customers:detail", pk)
    everybody = Customer.objects.select_related("owner", "team").prefetch_related(SAID)
    survivor = get_object_or_404(everybody, pk=pk)
    others = list(everybody.filter(pk__in=grouping.together(pk) - {pk}).order_by("pk")[:MOST])
    currency = workspace_of(request).currency
    form = GroupForm(survivor, others, currency, request.POST or None)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        asked = Asked(said["why"], said["opened"], said["once"], currency, said["stays"])
        done = merge_each(pk, sorted(said["pick"]), asked, person(request))
        if done.taken:
            _tell(request, survivor, done)
            return redirect("customers:detail", pk)
        typed = request.POST.copy()
        typed["opened"] = opened([survivor, *others])
        form = GroupForm(survivor, others, currency, typed)
        form.add_error(None, f"{done.stopped} Nothing was changed.")
        status = 409
    shown = picked if request.method == "POST" else [each.pk for each in others]
    context = {"survivor": survivor, "others": others, "form": form, "picked": shown}
    return render(request, "customers/duplicates/merge_group.html", context, status=status)


def _tell(request: HttpRequest, survivor: Customer, done: Done) -> None:
    *rest, last = done.taken
    names = f"{', '.join(rest)} and {last} are" if rest else f"{last} is"
    messages.success(request, f"{names} now part of {survivor}. Each can be undone by itself, the last one first.")
    if done.stopped:
        messages.error(request, f"It went no further. {done.stopped}")
