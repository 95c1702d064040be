"""What runs, whom it reaches, what became of each message, and why a customer did or did not get it."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from campaigns.audit import BY_NAME as GROUPS
from campaigns.audit import audit, audits, behind
from campaigns.gates import BY_NAME as GATES
from campaigns.gates import GATES as GATES_IN_ORDER
from campaigns.models import Campaign, EmailStep, Enrolment, Message, Refusal
from campaigns.reasons import absences, visits
from campaigns.responses import BY_NAME as RESPONSES
from campaigns.responses import responded, responses
from customers.models import Customer
from retention.workspace.models import Job
from retention.workspace.places import address
from retention.workspace.roles import Can, requires

PAGE_SIZE = 50
OTHERS = 10
STATES = dict(Campaign.State.choices)


@require_safe
@requires(Can.READ)
def campaign_list(request: HttpRequest) -> HttpResponse:
    """Every campaign, or those in one state."""
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    campaigns = list(Campaign.objects.select_related("segment").order_by("-created_at"))
    shown = [campaign for campaign in campaigns if not state or campaign.state == state]
    equations = audits([campaign.pk for campaign in shown])
    responses = _responses([campaign.pk for campaign in shown])
    rows = [{"campaign": each, "audit": equations[each.pk], "response": responses.get(each.pk, {})} for each in shown]
    tally = {name: sum(each.state == name for each in campaigns) for name in STATES}
    chips = [(name, STATES[name], count) for name, count in tally.items() if count]
    context = {"rows": rows, "any": bool(campaigns), "state": state, "chips": chips}
    return render(request, "campaigns/list.html", context | {"has_effect": _has_effect()})


def _responses(campaign_ids: list[int]) -> dict[int, dict[str, int]]:
    """Messages sent, and of these opened and clicked by people, by campaign."""
    sent = Message.objects.filter(step__campaign__in=campaign_ids, state=Message.State.SENT)
    counted = sent.values_list("step__campaign").annotate(
        sent=Count("id"), opened=Count("opened_at"), clicked=Count("clicked_at")
    )
    return {campaign: {"sent": n, "opened": opened, "clicked": clicked} for campaign, n, opened, clicked in counted}


def _has_effect() -> bool:
    """Whether the effect of campaigns can be shown: the room for it is another's."""
    return address("metrics:overview") is not None


@require_safe
@requires(Can.READ)
def campaign_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The campaign; to htmx its figures, which are asked for again when a job has ended."""
    campaign = get_object_or_404(
        Campaign.objects.select_related("segment", "not_in", "launched_by", "edited_by"), pk=pk
    )
    refused = campaign.refusals.values_list("gate").annotate(n=Count("id"))
    by_gate = dict(refused.order_by())
    step = EmailStep.objects.select_related("survey").filter(campaign=campaign).first()
    context: dict[str, Any] = {
        "campaign": campaign,
        "step": step,
        "audit": audit(campaign),
        "refused": [(gate, by_gate[gate.name]) for gate in GATES_IN_ORDER if gate.name in by_gate],
        "refused_total": sum(by_gate.values()),
        "gates": GATES_IN_ORDER,
        "customers": campaign.enrolments.aggregate(n=Count("customer", distinct=True))["n"],
        "responses": responses(campaign, asks=step is not None and step.survey_id is not None),
        "job": Job.objects.filter(kind="campaign", spec__campaign=pk).order_by("-created_at").first(),
        "has_effect": _has_effect(),
    }
    template = "figures.html" if request.htmx else "detail.html"  # type: ignore[attr-defined]
    return render(request, f"campaigns/{template}", context)


@require_safe
@requires(Can.READ)
def campaign_people(request: HttpRequest, pk: int) -> HttpResponse:
    """The customers behind a number of the campaign: ?group=sent, or ?gate=rested for those who were refused."""
    campaign = get_object_or_404(Campaign.objects.select_related("segment"), pk=pk)
    gate, group = request.GET.get("gate", ""), request.GET.get("group", "enrolled")
    if gate or group == "refused":
        return _refused(request, campaign, gate)
    named = GROUPS.get(group) or RESPONSES.get(group)
    if group != "enrolled" and named is None:
        raise Http404
    enrolments = _behind(campaign, group).select_related("customer")
    page = Paginator(enrolments, PAGE_SIZE).get_page(request.GET.get("page"))
    latest = _latest(campaign, list(page))
    rows = [{"enrolment": each, "customer": each.customer, "message": latest.get(each.pk)} for each in page]
    title = named.label.capitalize() if named else "Enrolled"
    meaning = named.meaning if named else "Passed every gate."
    context = {"campaign": campaign, "group": group, "title": title, "meaning": meaning, "page": page, "rows": rows}
    return render(request, "campaigns/people.html", context)


def _behind(campaign: Campaign, group: str) -> QuerySet[Enrolment]:
    if group not in RESPONSES:
        return behind(campaign, group)
    return behind(campaign, "enrolled").filter(pk__in=responded(campaign, RESPONSES[group]).values("enrolment"))


def _latest(campaign: Campaign, enrolments: list[Enrolment]) -> dict[int, Message]:
    """The message that stands for each enrolment."""
    customers = [enrolment.customer_id for enrolment in enrolments]
    messages = Message.objects.filter(customer__in=customers, step__campaign=campaign).order_by("id")
    return {message.enrolment_id: message for message in messages}


def _refused(request: HttpRequest, campaign: Campaign, gate: str) -> HttpResponse:
    if gate and gate not in GATES:
        raise Http404
    refusals = Refusal.objects.filter(campaign=campaign).select_related("customer").order_by("-id")
    page = Paginator(refusals.filter(gate=gate) if gate else refusals, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [{"refusal": each, "customer": each.customer, "gate": GATES.get(each.gate)} for each in page]
    title = f"Stopped at: {GATES[gate].title.lower()}" if gate else "Stopped by a gate"
    context = {"campaign": campaign, "group": "refused", "title": title, "page": page, "rows": rows}
    return render(request, "campaigns/people.html", context)


@require_safe
@requires(Can.READ)
def campaign_customer(request: HttpRequest, pk: int, customer_id: int) -> HttpResponse:
    """Why this customer did or did not get it."""
    campaign = get_object_or_404(Campaign.objects.select_related("segment"), pk=pk)
    customer = get_object_or_404(Customer, pk=customer_id)
    came = visits(customer.pk, campaign)
    absent = "" if came else absences(customer.pk, [campaign])[pk]
    return render(
        request,
        "campaigns/customer.html",
        {"campaign": campaign, "customer": customer, "visits": came, "absent": absent},
    )


@require_safe
@requires(Can.READ)
def customer_panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A part of the customer's page: each campaign they came up for, and why the running others passed them by."""
    customer = get_object_or_404(Customer, pk=customer_id)
    came = visits(customer.pk)
    seen = {visit.campaign.pk for visit in came}
    running = Campaign.objects.filter(state=Campaign.State.RUNNING).exclude(pk__in=seen).select_related("segment")
    absent = list(running.order_by("name")[:OTHERS])
    why = absences(customer.pk, absent)
    others = [{"campaign": each, "why": why[each.pk]} for each in absent]
    return render(request, "campaigns/customer_panel.html", {"customer": customer, "visits": came, "others": others})
