"""Pages that say why a customer is in or out of a segment."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from customers.models import Customer, HandChange, HandPick, Segment, SegmentMembership, Verdict
from customers.segments import history, references
from customers.segments.explain import Finding, explain
from customers.segments.operators import Moment
from customers.segments.rules import RuleRefused
from customers.segments.wording import refused, words_for
from retention.common import clock
from retention.workspace.models import Workspace
from retention.workspace.roles import Can, requires

MOST_FOUND = 10


@require_safe
@requires(Can.READ)
def segment_explain(request: HttpRequest, pk: int, customer_id: int) -> HttpResponse:
    """Condition by condition, for one customer; a part of the customer's page, or a page of its own."""
    segment = get_object_or_404(Segment, pk=pk)
    customer = get_object_or_404(Customer, pk=customer_id)
    stays = list(history.stays_of(segment, customer_id)[:50])
    is_in = bool(stays) and any(stay.left_at is None for stay in stays)
    context = {
        "segment": segment,
        "customer": customer,
        "stays": stays,
        "is_in": is_in,
        **_by_hand(segment, customer_id),
        **why(segment, customer_id),
    }
    if (finding := context.get("finding")) and isinstance(finding, Finding):
        context["should"] = context["pick"].verdict == Verdict.IN if context["pick"] else finding.met
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"customers/segments/{'why' if part else 'explain'}.html", context)


def _by_hand(segment: Segment, customer_id: int) -> dict[str, Any]:
    """What a person decided about the customer, and what a person can decide now."""
    picks = HandPick.objects.filter(segment=segment, customer=customer_id, ended_by=None)
    pick = picks.select_related("change__by").first()
    act = HandChange.Act
    offered = {act.IN: "Put in", act.OUT: "Keep out", act.RULE: "Leave to the rule"}
    offered.pop(act(pick.verdict) if pick else act.RULE)
    return {"pick": pick, "acts": [(key.value, label) for key, label in offered.items()]}


def why(segment: Segment, customer_id: int) -> dict[str, Finding | str | None]:
    workspace = Workspace.current()
    try:
        rule = references.read(segment.rule, segment.pk)
    except RuleRefused as refusal:
        return {"refused": refused(refusal)}
    moment = Moment(clock.now(), workspace.zone)
    return {"finding": explain(rule, customer_id, moment, words_for(workspace, rule))}


@require_safe
@requires(Can.READ)
def segment_find(request: HttpRequest, pk: int) -> HttpResponse:
    """From a name, an address or an id to the page that explains; a choice where several fit."""
    segment = get_object_or_404(Segment, pk=pk)
    asked = request.GET.get("customer", "").strip().replace("\0", "")[:200]
    found = list(named(asked)[: MOST_FOUND + 1]) if asked else []
    if len(found) == 1:
        return redirect("customers:segment_explain", pk, found[0].pk)
    context = {"segment": segment, "asked": asked, "found": found[:MOST_FOUND], "more": len(found) > MOST_FOUND}
    return render(request, "customers/segments/find.html", context)


def named(text: str) -> QuerySet[Customer]:
    """By id or address in full, by name from its beginning: each read off an index."""
    lower = text.lower()
    fits = Q(external_id=text) | Q(lower_email=lower) | Q(lower_name__startswith=lower)
    return (
        Customer.objects.alias(lower_email=Lower("email"), lower_name=Lower("name")).filter(fits).order_by("name", "pk")
    )


@require_safe
@requires(Can.READ)
def customer_segments(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The segments a customer is in, and those they are not in: a panel of the customer's page."""
    customer = get_object_or_404(Customer, pk=customer_id)
    present = SegmentMembership.objects.filter(customer=customer, left_at=None)
    inside = present.select_related("segment").order_by("segment__name")
    outside = Segment.objects.filter(~Exists(present.filter(segment=OuterRef("pk"))))
    context = {"customer": customer, "inside": inside, "outside": outside}
    part = request.headers.get("HX-Request") == "true"
    return render(request, f"customers/segments/{'panel' if part else 'customer'}.html", context)
