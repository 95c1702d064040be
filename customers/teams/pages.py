"""The settings of teams: for administrators."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Team
from customers.teams.keeping import NameTaken, dissolve, keep
from retention.common.counting import counted
from retention.common.opened import OpenedForm, held
from retention.workspace.models import User
from retention.workspace.roles import Can, requires

TAKEN = "Another team has this name."


class TeamForm(OpenedForm):
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

    class Meta:
        model = Team
        fields = ("name", "members", "lead")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Team.objects.filter(name__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(TAKEN)
        return name


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
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(held(request, Team.objects.all()), pk=pk))


def _edit(request: HttpRequest, team: Team) -> HttpResponse:
    named, form = str(team), TeamForm(request.POST or None, instance=team)
    if request.method == "POST" and form.is_valid():
        try:
            keep(team, form.cleaned_data["members"])
        except NameTaken:
            form.add_error("name", TAKEN)
        else:
            messages.success(request, f"The team {team} is saved.")
            return redirect("customers:teams")
    context = {"form": form, "team": team, "named": named}
    return render(request, "customers/teams/edit.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Can.ADMINISTER)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    team = get_object_or_404(Team, pk=pk)
    number = dissolve(team)
    messages.success(request, f"The team {team} is dissolved; {counted(number, 'customer')} left without one.")
    return redirect("customers:teams")
