"""Keeping and dropping views of lists."""

from django import forms
from django.contrib import messages
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_POST

from retention.workspace import saved_views
from retention.workspace.models import SavedView
from retention.workspace.people import person
from retention.workspace.roles import Can, requires


class ViewForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    class Meta:
        model = SavedView
        fields = ["place", "name", "query", "shared"]


@require_POST
@requires(Can.READ)
def keep(request: HttpRequest) -> HttpResponse:
    form = ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The view was not kept: give it a name of at most 60 characters.")
        return redirect("workspace:home")
    said = form.cleaned_data
    try:
        view = saved_views.keep(person(request), said["place"], said["name"], said["query"], shared=said["shared"])
    except NoReverseMatch as error:
        raise SuspiciousOperation("no such list") from error
    except saved_views.TooMany:
        messages.error(request, f"You keep {saved_views.MOST} views already. Drop one first.")
        return redirect(said["place"])
    messages.success(request, f"The view “{view}” is kept.")
    return redirect(f"{reverse(view.place)}?{view.query}")


@require_POST
@requires(Can.READ)
def opens(request: HttpRequest) -> HttpResponse:
    """Which view one's own list opens with: one's own or a shared one; none for everything."""
    place, me = request.POST.get("place", ""), person(request)
    try:
        url = reverse(place)
    except NoReverseMatch as error:
        raise SuspiciousOperation("no such list") from error
    chosen = request.POST.get("view", "")
    view = next((view for view in saved_views.for_list(me, place) if str(view.pk) == chosen), None)
    if chosen and view is None:
        raise Http404
    saved_views.open_with(me, place, view)
    messages.success(request, f"The list opens with {f'“{view}”' if view else 'everything'} for you.")
    return redirect(url)


class NameForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript when it runs
    class Meta:
        model = SavedView
        fields = ["name"]


@require_POST
@requires(Can.READ)
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """One's own only."""
    view = get_object_or_404(SavedView, pk=pk, person=person(request))
    form = NameForm(request.POST)
    try:
        if form.is_valid():
            saved_views.rename(view, form.cleaned_data["name"])
            messages.success(request, f"The view “{view}” is called “{form.cleaned_data['name']}” now.")
        else:
            messages.error(request, f"“{view}” keeps its name: give it one of at most 60 characters.")
    except saved_views.NameTaken:
        messages.error(request, f"“{view}” keeps its name: another view of yours is called like that.")
    return redirect(f"{reverse(view.place)}?{view.query}")


@require_POST
@requires(Can.READ)
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """One's own only."""
    view = get_object_or_404(SavedView, pk=pk, person=person(request))
    view.delete()
    messages.success(request, f"The view “{view}” is dropped.")
    return redirect(view.place)
