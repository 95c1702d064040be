"""The settings of teams: for administrators."""

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Team
from customers.teams.keeping import NameTaken, dissolve, keep
from retention.workspace.models import User
from retention.workspace.roles import Can, requires


class TeamForm(forms.Form):
    name = forms.CharField(max_length=60)
    members = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("first_name", "email"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    lead = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("first_name", "email"),
        required=False,
        empty_label="Nobody",
        help_text="Steps of playbooks can be given to them.",
    )


@require_safe
@requires(Can.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponse:
    teams = Team.objects.prefetch_related("members").annotate(number=Count("customers"))
    return render(request, "customers/teams/list.html", {"teams": teams})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
def new(request: HttpRequest) -> HttpResponse:
    return _edit(request, Team())


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.ADMINISTER)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Team, pk=pk))


def _edit(request: HttpRequest, team: Team) -> HttpResponse:
    there = {"name": team.name, "members": team.members.all(), "lead": team.lead_id} if team.pk else {}
    form = TeamForm(request.POST or None, initial=there)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            keep(Team(pk=team.pk, name=said["name"], lead=said["lead"]), said["members"])
        except NameTaken:
            form.add_error("name", "Another team has this name.")
        else:
            messages.success(request, f"The team {said['name']} is saved.")
            return redirect("customers:teams")
    return render(request, "customers/teams/edit.html", {"form": form, "team": team})


@require_POST
@requires(Can.ADMINISTER)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    team = get_object_or_404(Team, pk=pk)
    number = dissolve(team)
    messages.success(request, f"The team {team} is dissolved; {number:,} customers have no team now.")
    return redirect("customers:teams")
