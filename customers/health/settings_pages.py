"""The settings of health: profiles in their order, weights with what would change, bands. For administrators."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.health import inputs, keeping, profiles
from customers.health.forms import ProfileForm, SettingsForm
from customers.health.preview import LABELS, preview
from customers.health.recomputing import bands as counted
from customers.models import HealthProfile, HealthSettings
from customers.segments.patience import TooSlow
from retention.common.opened import held
from retention.common.sent import whole
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

GET_OR_POST = ["GET", "HEAD", "POST"]
PLACE = "customers:health_settings"


@require_safe
@requires(Can.ADMINISTER)
def overview(request: HttpRequest) -> HttpResponse:
    numbers = counted()
    context = {
        "profiles": HealthProfile.objects.exclude(segment=None).select_related("segment"),
        "rest": profiles.everybody_else(),
        "inputs": inputs.every().values(),
        "settings": HealthSettings.current(),
        "bands": [(band, label, numbers.get(band, 0)) for band, label in LABELS.items()],
    }
    return render(request, "customers/health/settings.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.ADMINISTER)
@transaction.atomic
def bands(request: HttpRequest) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=_settings(request))
    if request.method == "POST" and form.is_valid():
        job = keeping.keep_settings(form.instance, person(request))
        messages.success(request, "Saved. Everybody’s health is being worked out by it.")
        return redirect("workspace:job", job.pk)
    context = {"form": form, "of": "bands"}
    return render(request, "customers/health/bands.html", context, status=422 if form.errors else 200)


@require_http_methods(GET_OR_POST)
@requires(Can.ADMINISTER)
def new(request: HttpRequest) -> HttpResponse:
    return _edit(request, _new(), "new")


@require_http_methods(GET_OR_POST)
@requires(Can.ADMINISTER)
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    _in_order(request)
    profile = get_object_or_404(held(request, HealthProfile.objects.exclude(segment=None)), pk=pk)
    return _edit(request, profile, str(pk))


@require_http_methods(GET_OR_POST)
@requires(Can.ADMINISTER)
@transaction.atomic
def everybody_else(request: HttpRequest) -> HttpResponse:
    _in_order(request)
    return _edit(request, profiles.everybody_else(), "everybody-else")


def _in_order(request: HttpRequest) -> None:
    """Lock the settings before a profile, as whoever moves one does."""
    if request.method == "POST":
        keeping.locked()


def _edit(request: HttpRequest, profile: HealthProfile, of: str) -> HttpResponse:
    named = profile.name if profile.pk or of == "everybody-else" else ""
    form = _form(request, profile, of)
    if request.method == "POST" and form.is_valid():
        try:
            job = keeping.keep(form.draft, person(request))
        except keeping.Refused as reason:
            form.add_error("segment", str(reason))
        else:
            messages.success(request, "Saved. Everybody’s health is being worked out by it.")
            return redirect("workspace:job", job.pk)
    context = {"form": form, "of": of, "named": named, "pk": profile.pk if whole(of) else None}
    return render(request, "customers/health/profile.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Can.ADMINISTER)
def up(request: HttpRequest, pk: int) -> HttpResponse:
    profile = get_object_or_404(HealthProfile, pk=pk)
    if keeping.move_up(profile, person(request)):
        messages.success(request, f"“{profile}” is tried earlier now. Everybody’s health is being worked out by it.")
    return redirect(PLACE)


@require_POST
@requires(Can.ADMINISTER)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    profile = get_object_or_404(HealthProfile.objects.exclude(segment=None), pk=pk)
    keeping.remove(profile, person(request))
    messages.success(request, f"“{profile}” is deleted; its customers are measured by the next profile that fits.")
    return redirect(PLACE)


@require_POST
@requires(Can.ADMINISTER)
def preview_part(request: HttpRequest) -> HttpResponse:
    """What saving what is typed would change. Changes nothing; posted because the form is."""
    return render(request, "customers/health/preview.html", _previewed(request))


def _previewed(request: HttpRequest) -> dict[str, Any]:
    of = request.POST.get("of", "")
    form = (
        SettingsForm(request.POST, instance=HealthSettings.current())
        if of == "bands"
        else _form(request, _profile(of), of)
    )
    form.fields.pop("opened")
    if not form.is_valid():
        return {"refused": True}
    try:
        if isinstance(form, SettingsForm):
            return {"preview": preview(profiles.rulers(), form.instance)}
        return {"preview": preview(profiles.rulers(form.draft), HealthSettings.current())}
    except TooSlow:
        return {"slow": True}


def _profile(of: str) -> HealthProfile:
    if pk := whole(of):
        return get_object_or_404(HealthProfile.objects.exclude(segment=None), pk=pk)
    return profiles.everybody_else() if of == "everybody-else" else _new()


def _new() -> HealthProfile:
    return HealthProfile(inputs=profiles.ready_made())


def _form(request: HttpRequest, profile: HealthProfile, of: str) -> ProfileForm:
    return ProfileForm(request.POST or None, instance=profile, for_segment=of != "everybody-else")


def _settings(request: HttpRequest) -> HealthSettings:
    return held(request, HealthSettings.objects.filter(id=1)).first() or HealthSettings(id=1)
