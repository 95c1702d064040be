"""The first page: the first steps in a new workspace, then each role's own place."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from retention.workspace.checklist import Shown, checklist
from retention.workspace.models import User
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
    steps = checklist(user)
    if place and not _is_for(user, steps):
        return redirect(place)
    return render(request, "workspace/start.html", {"steps": steps, "place": place})


@require_safe
@requires(Can.READ)
def start(request: HttpRequest) -> HttpResponse:
    """The first steps, also after they are done."""
    user = person(request)
    return render(request, "workspace/start.html", {"steps": checklist(user), "place": url_for(user, FIRST[user.role])})


def _is_for(user: User, steps: list[Shown]) -> bool:
    """An empty workspace shows everybody the first steps; whoever sets it up sees them until they are done."""
    empty = not any(shown.done for shown in steps)
    return empty or (user.can(Can.ADMINISTER) and not all(shown.done for shown in steps))
