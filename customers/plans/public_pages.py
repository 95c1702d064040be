"""A plan as the customer reads it: what was agreed and how far it is, and nothing else of anybody.

The signed token is the authority; no page reads a cookie, and reading changes nothing.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers.plans import sharing
from customers.plans.reading import roadmap, today
from retention.common.links import LinkExpired, LinkRefused
from retention.workspace.people import workspace_of
from retention.workspace.roles import public


@public
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Kept by no cache, found by no search engine, kind about links that do not work."""
    try:
        road = roadmap(sharing.read(token), today(workspace_of(request).zone))
        response = render(request, "customers/plans/shared.html", {"road": road, "plan": road.plan})
    except LinkRefused as refusal:
        expired = isinstance(refusal, LinkExpired)
        status = 410 if expired else 404
        response = render(request, "customers/plans/link_refused.html", {"expired": expired}, status=status)
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
