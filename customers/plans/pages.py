"""Plans for the people who work here: a panel, a page with everything edited in its place, and every plan in a list.

Each form is a part that htmx puts in the place of what it changes, and a page of its own without script.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer, Goal, Milestone, PlanLink, SuccessPlan
from customers.plans import keeping, sharing
from customers.plans.forms import AgreeForm, BeginForm, BeginForOneForm, GoalForm, MilestoneForm, PlanForm, ShareForm
from customers.plans.keeping import Refused
from customers.plans.reading import listed, roadmap, today
from retention.common import clock
from retention.common.opened import OpenedForm, held
from retention.common.sent import whole
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, Role, requires

GET_OR_POST = ["GET", "HEAD", "POST"]
PAGE = 25
WHOSE = {"mine": "Mine", "everyones": "Everyone's"}


@require_safe
@requires(Can.READ)
def panel(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer's plans: a part of their page, or a page of its own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    plans = listed(customer.plans.all(), _day(request)).order_by(F("closed_at").desc(nulls_first=True), "-pk")
    template = "panel.html" if request.htmx else "list.html"  # type: ignore[attr-defined]
    return render(request, f"customers/plans/{template}", {"customer": customer, "plans": plans})


def _day(request: HttpRequest) -> date:
    return today(workspace_of(request).zone)


@require_safe
@requires(Can.READ)
def every(request: HttpRequest) -> HttpResponse:
    """All open plans, those with the next step first."""
    usual = "mine" if person(request).role == Role.ACCOUNT_MANAGER else "everyones"
    whose = said if (said := request.GET.get("whose", "")) in WHOSE else usual
    plans = SuccessPlan.objects.filter(closed_at=None).select_related("customer__owner")
    if whose != "everyones":
        plans = plans.filter(customer__owner=person(request))
    rows = listed(plans, _day(request)).order_by(F("next_on").asc(nulls_last=True), "pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "plans": page.object_list, "whose": whose, "names": WHOSE}
    return render(request, "customers/plans/every.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def new(request: HttpRequest, customer_id: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    form = BeginForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        plan = keeping.begin(customer, by=person(request), **form.cleaned_data)
        return redirect("customers:plan", plan.pk)
    context = {"form": form, "customer": customer, "open": customer.plans.filter(closed_at=None).order_by("-pk")}
    return render(request, "customers/plans/new.html", context, status=422 if form.errors else 200)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def begin(request: HttpRequest) -> HttpResponse:
    """A plan for whoever is chosen; ?customer= fills the customer in."""
    form = BeginForOneForm(request.POST or None, initial={"customer": request.GET.get("customer", "")})
    if request.method == "POST" and form.is_valid():
        customer = form.cleaned_data.pop("customer")
        return redirect("customers:plan", keeping.begin(customer, by=person(request), **form.cleaned_data).pk)
    context = {"form": form, "title": "New success plan", "place": "Success plans", "save": "Begin the plan"}
    context["back"] = reverse("customers:plans")
    return render(request, "customers/for_one.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Can.READ)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    plan = get_object_or_404(SuccessPlan.objects.select_related("customer", "agreed_with"), pk=pk)
    part = bool(request.htmx)  # type: ignore[attr-defined]
    return render(request, f"customers/plans/{'body' if part else 'detail'}.html", _shown(request, plan))


def _shown(request: HttpRequest, plan: SuccessPlan, said: str = "") -> dict[str, Any]:
    now = clock.now()
    links = [(link, sharing.address(link)) for link in plan.links.all() if link.works(now)]
    forms = {"agree_form": AgreeForm(plan.customer), "share_form": ShareForm()} if plan.is_open else {}
    return {
        "road": roadmap(plan, _day(request)),
        "plan": plan,
        "customer": plan.customer,
        "links": links,
        "said": said,
        **forms,
    }


@dataclass(frozen=True)
class Place:
    """Where a form stands on the plan's page, and how it is called."""

    id: str
    heading: str


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Title and summary."""
    with transaction.atomic():
        plan = _plan(request, pk)
        form = PlanForm(request.POST or None, instance=plan)
        return _formed(request, plan, form, Place("plan-head", "Change the plan"), lambda: keeping.rename(plan))


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def goal_new(request: HttpRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        plan = _plan(request, pk)
        form = GoalForm(request.POST or None, instance=Goal(plan=plan))
        return _formed(request, plan, form, Place("plan-add", "Add a goal"), form.save)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def goal_edit(request: HttpRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        plan = _plan(request, get_object_or_404(Goal, pk=pk).plan_id)
        goal = get_object_or_404(held(request, Goal.objects.all()), pk=pk)
        form = GoalForm(request.POST or None, instance=goal)
        return _formed(request, plan, form, Place(f"goal-{pk}", "Change the goal"), form.save)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def goal_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Its milestones stay, without a goal."""
    goal = get_object_or_404(Goal.objects.select_related("plan"), pk=pk)
    try:
        with transaction.atomic():
            plan = keeping.open_plan(goal.plan_id)
            goal.delete()
    except Refused as reason:
        return _done(request, goal.plan, f"{reason} Nothing was changed.")
    return _done(request, plan, f"The goal is gone: {goal.text}. Its milestones stay.")


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def milestone_new(request: HttpRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        plan = _plan(request, pk)
        asked = request.GET.get("goal", "")
        usual = {"ours": person(request).pk, "goal": whole(asked)}
        form = MilestoneForm(request.POST or None, instance=Milestone(plan=plan), initial=usual)
        return _formed(request, plan, form, Place("plan-add", "Add a milestone"), form.save)


@require_http_methods(GET_OR_POST)
@requires(Can.EDIT_CUSTOMERS)
def milestone_edit(request: HttpRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        plan = _plan(request, get_object_or_404(Milestone, pk=pk).plan_id)
        step = get_object_or_404(held(request, Milestone.objects.all()), pk=pk)
        step.plan, was_due = plan, step.due_on
        form = MilestoneForm(request.POST or None, instance=step)
        place = Place(f"milestone-{pk}", "Change the milestone")
        return _formed(request, plan, form, place, lambda: keeping.keep(step, was_due, person(request)))


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def milestone_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Done, dropped, or open again."""
    asked = request.POST.get("act", "")
    if asked not in Milestone.State.values:
        return HttpResponseBadRequest("That can't be done to a milestone. Reload the page and try again.")
    step = get_object_or_404(Milestone.objects.select_related("plan"), pk=pk)
    try:
        turned = keeping.turn(pk, Milestone.State(asked), person(request))
    except Refused as reason:
        return _done(request, step.plan, f"{reason} Somebody else may have been at it; nothing was changed.")
    return _done(request, turned.plan, f"{turned.title}: {turned.get_state_display().lower()}.")


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Agreed, reached, dropped, or taken up again."""
    plan = get_object_or_404(SuccessPlan.objects.select_related("customer"), pk=pk)
    asked, by = request.POST.get("act", ""), person(request)
    try:
        if asked == "agree":
            form = AgreeForm(plan.customer, request.POST)
            keeping.agree(pk, form.cleaned_data["contact"] if form.is_valid() else None)
        elif asked == "reopen":
            keeping.reopen(pk, by)
        elif asked in ("reached", "dropped"):
            keeping.close(pk, SuccessPlan.State(asked), by)
        else:
            return HttpResponseBadRequest("That can't be done to a plan. Reload the page and try again.")
    except Refused as reason:
        return _done(request, plan, f"{reason} Somebody else may have been at it; nothing was changed.")
    return _done(request, plan, _ACTS[asked])


_ACTS = {
    "agree": "It is agreed.",
    "reopen": "It goes on.",
    "reached": "It is reached. Congratulations.",
    "dropped": "It is dropped. It can be taken up again.",
}


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def share(request: HttpRequest, pk: int) -> HttpResponse:
    plan = get_object_or_404(SuccessPlan, pk=pk)
    form = ShareForm(request.POST)
    try:
        sharing.share(pk, form.cleaned_data["days"] if form.is_valid() else 90, person(request))
    except Refused as reason:
        return _done(request, plan, str(reason))
    return _done(request, plan, "The link is below: give it to the customer.")


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    link = get_object_or_404(PlanLink.objects.select_related("plan"), pk=pk)
    sharing.take_back(link)
    return _done(request, link.plan, "The link works no longer.")


def _plan(request: HttpRequest, pk: int) -> SuccessPlan:
    """An open plan, locked where the request may change it; a closed one is not to be found here."""
    plans = held(request, SuccessPlan.objects.filter(state__in=SuccessPlan.OPEN))
    plan = plans.filter(pk=pk).first()
    if plan is None:
        raise Http404
    return plan


def _formed(
    request: HttpRequest, plan: SuccessPlan, form: OpenedForm, place: Place, save: Callable[[], object]
) -> HttpResponse:
    """The form, or what comes of it: saved, the plan as it is then."""
    if request.method == "POST" and form.is_valid():
        save()
        return _done(request, plan, "Saved.")
    part = bool(request.htmx)  # type: ignore[attr-defined]
    context = {"form": form, "plan": plan, "customer": plan.customer, "place": place}
    response = render(request, f"customers/plans/{'form_part' if part else 'form'}.html", context)
    if part and form.is_bound:
        response["HX-Retarget"] = f"#{place.id}"
    elif form.is_bound:
        response.status_code = 409 if form.non_field_errors() else 422
    return response


def _done(request: HttpRequest, plan: SuccessPlan, said: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        fresh = SuccessPlan.objects.select_related("customer", "agreed_with").get(pk=plan.pk)
        return render(request, "customers/plans/body.html", _shown(request, fresh, said))
    messages.success(request, said)
    return redirect("customers:plan", plan.pk)
