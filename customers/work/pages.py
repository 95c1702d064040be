"""Today: the account manager's first page."""

from datetime import tzinfo
from math import ceil
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from customers.records.filters import Filters, matching
from customers.work import attention, working_days
from customers.work.acting import acted
from customers.work.forms import ActForm, TaskForm, TodayForm, names
from customers.work.lines import Reader
from customers.work.moments import Moment
from customers.work.ranking import BANDS, MOST
from customers.work.snoozed import LISTED, counted, put_off
from customers.work.tasks import open_task
from retention.common import clock
from retention.common.sent import whole
from retention.workspace.models import User
from retention.workspace.people import person, workspace_of
from retention.workspace.roles import Can, Role, requires

PAGE_SIZE = 25
OFFERED = 8
NOT_POSSIBLE = "That can't be done to this line. Reload the page and try again."
WHOSE = {"mine": "Mine", "nobodys": "Nobody's", "everyones": "Everyone's"}


@require_safe
@requires(Can.READ)
def today(request: HttpRequest) -> HttpResponse:
    whose = request.GET.get("whose", "")
    page = request.GET.get("page", "")
    number = min(whole(page) or 1, 1_000_000)
    undo = request.GET.get("undo", "")
    shown = _list(request, whose if whose in WHOSE else _usual(person(request)), number)
    asked = ActForm({"need": undo, "act": "undo"})
    return render(request, "customers/work/today.html", shown | {"undo": undo if undo and asked.is_valid() else ""})


@require_safe
@requires(Can.READ)
def snoozed(request: HttpRequest) -> HttpResponse:
    """What is put off until a later day, the next to come back first."""
    asked, me = request.GET.get("whose", ""), person(request)
    whose = asked if asked in WHOSE else _usual(me)
    tasks = put_off(whose, Moment(clock.now(), workspace_of(request).zone, me.pk))
    shown = tasks.select_related("customer", "assignee")[:LISTED]
    return render(request, "customers/work/snoozed.html", {"tasks": shown, "whose": whose, "whose_names": WHOSE})


def _usual(user: User) -> str:
    """Account managers begin with their own customers, everybody else with all."""
    return "mine" if user.role == Role.ACCOUNT_MANAGER else "everyones"


def _list(request: HttpRequest, whose: str, number: int) -> dict[str, Any]:
    start = PAGE_SIZE * (max(1, number) - 1)
    workspace, me = workspace_of(request), person(request).pk
    moment = Moment(clock.now(), workspace.zone, me)
    edits = person(request).can(Can.EDIT_CUSTOMERS)
    found = attention.needs(whose, moment, workspace.currency, start=start, size=PAGE_SIZE)
    return {
        "needs": found.needs,
        "total": found.total,
        "whole": found.whole,
        "anybody": bool(found.total) or Customer.objects.exists(),
        "most": MOST if whose != "mine" and found.total >= MOST else 0,
        "more": not found.whole or start + PAGE_SIZE < found.total,
        "snoozed": counted(whose, moment),
        "bands": BANDS,
        "whose": whose,
        "whose_names": WHOSE,
        "number": number,
        "where": f"Page {number:,}" + (f" of {ceil(found.total / PAGE_SIZE):,}" if found.whole else ""),
        "workers": names(),
        "reader": Reader(me, whose, found.total if found.whole else None, moment.now, workspace.currency, edits),
    }


@require_POST
@requires(Can.WORK_TASKS)
def today_act(request: HttpRequest) -> HttpResponse:
    """Done, put off, handed over or taken back; then the list as it is now, as a part or by a redirect."""
    form = TodayForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(NOT_POSSIBLE)
    asked = form.cleaned_data
    done = acted(form.cleaned_data, person(request), workspace_of(request).zone)
    if request.htmx:  # type: ignore[attr-defined]
        shown = _list(request, asked["whose"], asked["page"])
        return render(request, "customers/work/list.html", shown | {"said": done.said, "undo": done.undo})
    messages.success(request, done.said)
    place = {"whose": asked["whose"], "page": asked["page"]} | ({"undo": done.undo} if done.undo else {})
    return redirect(f"{reverse('customers:today')}?{urlencode(place)}")


@require_POST
@requires(Can.WORK_TASKS)
def customer_act(request: HttpRequest, pk: int) -> HttpResponse:
    """The same on a customer's own page: then their open tasks, as a part or by a redirect."""
    customer = get_object_or_404(Customer, pk=pk)
    form = ActForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(NOT_POSSIBLE)
    done = acted(form.cleaned_data, person(request), workspace_of(request).zone)
    if request.htmx:  # type: ignore[attr-defined]
        shown = of_customer(customer, workspace_of(request).zone) | {"said": done.said, "undo": done.undo}
        return render(request, "customers/work/of_customer.html", shown)
    messages.success(request, done.said)
    return redirect("customers:detail", pk)


def of_customer(customer: Customer, zone: tzinfo) -> dict[str, Any]:
    """What the open tasks on a customer's page are told from."""
    moment = Moment(clock.now(), zone)
    found = attention.tasks_of(customer, moment)
    return {"customer": customer, "needs": found, "workers": names() if found else {}, "now": moment.now}


@require_safe
@requires(Can.READ)
def offered(request: HttpRequest) -> HttpResponse:
    """Customers who may be meant by what is being typed, for a field that asks for one."""
    found = matching(Filters(q=request.GET.get("customer", "").replace("\0", "").strip()[:100]))[:OFFERED]
    return render(request, "customers/work/offered.html", {"found": found})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Can.WORK_TASKS)
def task_new(request: HttpRequest) -> HttpResponse:
    """A task by hand; ?customer= fills the customer in."""
    zone, now = workspace_of(request).zone, clock.now()
    usual = {"due": working_days.after(now, 1, zone).date(), "assignee": person(request).pk}
    form = TaskForm(request.POST or None, initial=usual | {"customer": request.GET.get("customer", "")})
    if form.is_valid():
        asked = form.cleaned_data
        assignee = asked["assignee"].pk if asked["assignee"] else None
        due_at = working_days.end_of_work(asked["due"], zone)
        open_task(asked["customer"].pk, asked["title"], asked["reason"], due_at, assignee, origin="")
        messages.success(request, f"Opened for {asked['customer']}: {asked['title']}.")
        return redirect("customers:today")
    return render(request, "customers/work/task_new.html", {"form": form}, status=422 if form.is_bound else 200)
