"""The search over everything: as a page, and as the list below the search box."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from retention.workspace.finding import FEW, MANY, Typed, search
from retention.workspace.people import person
from retention.workspace.roles import Can, requires


@require_safe
@requires(Can.READ)
def everything(request: HttpRequest) -> HttpResponse:
    """`q` is what was typed. The page shows more of each kind than the list below the box."""
    part = request.headers.get("HX-Target") in ("found", "finds")
    few = request.headers.get("HX-Target") == "found"
    typed = Typed(request.GET.get("q", "").replace("\0", "").strip()[:100], FEW if few else MANY)
    if few and not typed.text:
        return HttpResponse()
    context = {"typed": typed, "groups": list(search(typed, person(request)))}
    return render(request, "parts/found.html" if part else "workspace/search.html", context)
