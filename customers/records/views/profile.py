"""One customer's page."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers.facts import stages
from customers.models import Customer
from customers.records.profile import profile
from customers.records.timeline import GROUPS, part
from customers.work.pages import of_customer
from retention.common import clock
from retention.workspace.people import workspace_of
from retention.workspace.places import page_of
from retention.workspace.roles import Can, requires


@dataclass(frozen=True)
class Panel:
    """A part of the page that another room tells, fetched once the page stands."""

    title: str
    url: str


PANELS = (
    ("People", "customers:people"),
    ("Subscriptions", "customers:subscriptions_panel"),
    ("Health", "customers:health_panel"),
    ("Cases", "customers:cases_panel"),
    ("Success plans", "customers:plans_panel"),
    ("Playbooks", "customers:playbooks_panel"),
    ("Products", "customers:products_panel"),
    ("Segments", "customers:customer_segments"),
    ("Campaigns", "campaigns:customer_panel"),
    ("Surveys", "surveys:customer_panel"),
    ("Offers", "loyalty:customer_panel"),
    ("Maybe the same", "customers:duplicates_panel"),
)


def panels(pk: int) -> list[Panel]:
    """Those whose rooms have one."""
    return [Panel(title, url) for title, view in PANELS if (url := page_of(view, pk))]


def groups(request: HttpRequest) -> list[str]:
    return [name for name in request.GET.getlist("show") if name in GROUPS]


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        known = profile(pk, workspace_of(request).currency)
    except Customer.DoesNotExist as error:
        raise Http404 from error
    shown = groups(request)
    context = {"known": known, "customer": known.customer, "facts": known.facts, "panels": panels(pk)}
    context |= of_customer(known.customer, workspace_of(request).zone)
    context["stage_reason"] = stages.why(pk, clock.now(), timedelta(days=workspace_of(request).activity_window))
    return render(request, "customers/detail.html", context | timeline_context(pk, shown))


@require_safe
@requires(Can.READ)
def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """More of the timeline, or the timeline narrowed down, to be put into the page."""
    after = request.GET.get("after", "")
    context = timeline_context(pk, groups(request), after) | {"customer": Customer(pk=pk)}
    return render(request, "customers/timeline_more.html" if after else "customers/timeline.html", context)


def timeline_context(pk: int, shown: list[str], after: str = "") -> dict[str, object]:
    return {"part": part(pk, shown, after), "shown": shown, "groups": list(GROUPS)}
