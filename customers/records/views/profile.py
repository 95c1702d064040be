"""One customer's page."""

from datetime import timedelta
from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from customers.models import Customer
from customers.records import happened
from customers.records.profile import profile
from customers.records.timeline import GROUPS, part
from customers.work.pages import of_customer
from retention.common import clock
from retention.workspace.fragments import Fragment, text
from retention.workspace.people import workspace_of
from retention.workspace.places import STAND, page_of
from retention.workspace.roles import Can, requires

#: Parts of the page that other rooms tell, fetched once the page stands.
PANELS = (
    ("People", "customers:people"),
    ("Subscriptions", "customers:subscriptions_panel"),
    ("Health", "customers:health_panel"),
    ("Cases", "customers:cases_panel"),
    ("Success plans", "customers:plans_panel"),
    ("Playbooks", "customers:playbooks_panel"),
    ("Latest orders", "customers:orders_panel"),
    ("Products", "customers:products_panel"),
    ("Segments", "customers:customer_segments"),
    ("Campaigns", "campaigns:customer_panel"),
    ("Surveys", "surveys:customer_panel"),
    ("Offers", "loyalty:customer_panel"),
    ("Maybe the same", "customers:duplicates_panel"),
)


PANEL = Fragment("customers/panel.html")


def panels(pk: int) -> dict[str, SafeString]:
    """Those whose rooms have one, and the links that lead to them on the page."""
    jumps, shown = _panels()
    return {"jumps": jumps, "panels": SafeString(shown.replace(str(STAND), str(pk)))}


@cache
def _panels() -> tuple[SafeString, SafeString]:
    """Alike for all customers but for the one's number, for which one stands that no address has."""
    found = [(title, slugify(title), url) for title, view in PANELS if (url := page_of(view, STAND))]
    jumps = SafeString("".join(f'<a href="#{anchor}">{text(title)}</a>' for title, anchor, _ in found))
    return jumps, SafeString("".join(PANEL(title=title, anchor=anchor, url=url) for title, anchor, url in found))


def groups(request: HttpRequest) -> list[str]:
    return [name for name in request.GET.getlist("show") if name in GROUPS]


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    workspace = workspace_of(request)
    try:
        known = profile(pk, workspace.currency, clock.now(), timedelta(days=workspace.activity_window))
    except Customer.DoesNotExist as error:
        raise Http404 from error
    shown = groups(request)
    context: dict[str, Any] = {"known": known, "customer": known.customer, "facts": known.facts, **panels(pk)}
    context |= of_customer(known.customer, workspace.zone)
    return render(request, "customers/detail.html", context | timeline_context(pk, shown))


@require_safe
@requires(Can.READ)
def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """More of the timeline, or the timeline narrowed down, to be put into the page."""
    after, shown = request.GET.get("after", ""), groups(request)
    context = timeline_context(pk, shown, after) | {"customer": Customer(pk=pk)}
    if after:
        return render(request, "customers/timeline_more.html", context)
    narrowed = render(request, "customers/timeline.html", context)
    narrowed["HX-Replace-Url"] = page_of("customers:detail", pk) + (
        f"?{urlencode({'show': shown}, True)}" if shown else ""
    )
    return narrowed


def timeline_context(pk: int, shown: list[str], after: str = "") -> dict[str, object]:
    found = part(pk, shown, after)
    return {"part": found, "lines": happened.rows(found.events), "chips": happened.chips(shown), "shown": shown}
