"""The search over everything: as a page, and as the list below the search box."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from retention.workspace.finding import SHORTEST, search
from retention.workspace.people import person
from retention.workspace.roles import Can, requires


@require_safe
@requires(Can.READ)
def everything(request: HttpRequest) -> HttpResponse:
    typed = request.GET.get("q", "").strip()
    context = {"typed": typed, "groups": list(search(typed, person(request))), "enough": len(typed) >= SHORTEST}
    part = request.headers.get("HX-Target") == "found"
    return render(request, "parts/found.html" if part else "workspace/search.html", context)
