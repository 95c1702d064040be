"""The first page: each role's own place."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from retention.workspace.people import person
from retention.workspace.places import url_for
from retention.workspace.roles import Can, Role, requires

FIRST: dict[str, str] = {
    Role.ADMINISTRATOR: "customers:today",
    Role.ACCOUNT_MANAGER: "customers:today",
    Role.MARKETER: "campaigns:list",
    Role.ANALYST: "metrics:overview",
}


@require_safe
@requires(Can.READ)
def home(request: HttpRequest) -> HttpResponse:
    user = person(request)
    place = url_for(user, FIRST[user.role])
    return redirect(place) if place else render(request, "workspace/home.html")
