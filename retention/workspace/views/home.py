"""The first page: each role's own place."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from retention.workspace.places import url_for
from retention.workspace.roles import Can, Role, requires

FIRST = {
    Role.ADMINISTRATOR: "customers:today",
    Role.ACCOUNT_MANAGER: "customers:today",
    Role.MARKETER: "campaigns:list",
    Role.ANALYST: "metrics:overview",
}


@require_safe
@requires(Can.READ)
def home(request: HttpRequest) -> HttpResponse:
    place = url_for(request.user, FIRST[request.user.role])
    return redirect(place) if place else render(request, "workspace/home.html")
