"""API keys in the settings: for administrators."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from retention.common import clock
from retention.common.days import Day
from retention.workspace.api import keys
from retention.workspace.models import ApiKey, User
from retention.workspace.people import person
from retention.workspace.roles import GRANTS, Can, Role, requires


class KeyForm(forms.Form):
    name = forms.CharField(max_length=60, help_text="What uses it, such as the shop's nightly export.")
    person = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("first_name", "last_name", "email"),
        label="Acts for",
        empty_label="Choose a person",
        help_text="What it writes is written in their name. When their account is switched off, so is the key.",
    )
    role = forms.ChoiceField(
        choices=Role, label="May do what this role may", help_text="And never more than the person may."
    )
    writes = forms.BooleanField(required=False, label="May write", help_text="Off: it reads only.")
    until = Day(required=False, label="Last day", help_text="Empty: it is good until it is withdrawn.")

    def clean_until(self) -> Any:
        day = self.cleaned_data["until"]
        if day and day < timezone.localdate(clock.now()):
            raise forms.ValidationError("Give a day that is not over.")
        return day

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("writes") and GRANTS.get(said.get("role", ""), frozenset()) <= {Can.READ}:
            self.add_error("role", "This role only reads: choose another one, or let the key read only.")
        return said

    @property
    def wish(self) -> keys.Wish:
        said = self.cleaned_data
        return keys.Wish(said["name"], said["person"], said["role"], said["writes"], _end_of(said["until"]))


def _end_of(day: Any) -> datetime | None:
    """The midnight after the day, where the administrator is."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time())) if day else None


@require_safe
@requires(Can.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponse:
    found = ApiKey.objects.select_related("person", "created_by", "revoked_by")
    return render(request, "workspace/keys.html", {"keys": found, "now": clock.now()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
def new(request: HttpRequest) -> HttpResponse:
    """Make a key. The answer has its text, once: no other page and no table has it."""
    form = KeyForm(request.POST or None, initial={"person": person(request), "role": Role.ANALYST})
    if request.method == "POST" and form.is_valid():
        try:
            key, text = keys.make(form.wish, person(request))
        except keys.NameTaken:
            form.add_error("name", "A key in use has this name.")
        else:
            return render(request, "workspace/key_made.html", {"key": key, "text": text})
    return render(request, "workspace/key_new.html", {"form": form})


@require_POST
@requires(Can.ADMINISTER)
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    if keys.revoke(pk, person(request)):
        messages.success(request, f"{key} is withdrawn. Whoever uses it is refused from now on.")
    return redirect("workspace:keys")
