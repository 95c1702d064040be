"""Today: the account manager's first page."""

from math import ceil
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from customers.models import CustomerFacts, Task
from customers.work import attention, working_days
from customers.work.acting import act
from customers.work.forms import ActForm, TaskForm, end_of_work, workers
from customers.work.tasks import TaskIsClosed, open_task
from retention.common import clock
from retention.workspace.models import User, Workspace
from retention.workspace.people import person
from retention.workspace.roles import Can, Role, requires

PAGE_SIZE = 25
WHOSE = {"mine": "Mine", "nobodys": "Nobody's", "everyones": "Everyone's"}


@require_safe
@requires(Can.READ)
def today(request: HttpRequest) -> HttpResponse:
    whose = request.GET.get("whose", "")
    page = request.GET.get("page", "")
    number = int(page) if page.isdecimal() and len(page) < 7 else 1
    undo = request.GET.get("undo", "")
    shown = _list(request, whose if whose in WHOSE else _usual(person(request)), number)
    return render(request, "customers/work/today.html", shown | {"undo": undo if undo.isdecimal() else ""})


def _usual(user: User) -> str:
    """Account managers begin with their own customers, everybody else with all."""
    return "mine" if user.role == Role.ACCOUNT_MANAGER else "everyones"


def _list(request: HttpRequest, whose: str, number: int) -> dict[str, Any]:
    start = PAGE_SIZE * (max(1, number) - 1)
    zone = Workspace.current().zone
    found = attention.needs(whose, person(request).pk, clock.now(), zone, start=start, size=PAGE_SIZE)
    return {
        "needs": found.needs,
        "total": found.total,
        "bands": attention.BANDS,
        "whose": whose,
        "whose_names": WHOSE,
        "number": number,
        "pages": ceil(found.total / PAGE_SIZE),
        "workers": workers(),
        "now": clock.now(),
        "put_off": ActForm.PUT_OFF,
    }


@require_POST
@requires(Can.WORK_TASKS)
def today_act(request: HttpRequest) -> HttpResponse:
    """Done, put off, handed over or taken back; then the list as it is now, as a part or by a redirect."""
    form = ActForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("That can't be done to this line. Reload the page and try again.")
    asked, undo = form.cleaned_data, ""
    try:
        task, said = act(asked, person(request), clock.now(), Workspace.current().zone)
        undo = str(task.pk) if asked["act"] == "done" else ""
    except (TaskIsClosed, Task.DoesNotExist, CustomerFacts.DoesNotExist):
        said = "Somebody else has dealt with it meanwhile."
    if request.htmx:  # type: ignore[attr-defined]
        shown = _list(request, asked["whose"], asked["page"])
        return render(request, "customers/work/list.html", shown | {"said": said, "undo": undo})
    messages.success(request, said)
    place = {"whose": asked["whose"], "page": asked["page"]} | ({"undo": undo} if undo else {})
    return redirect(f"{reverse('customers:today')}?{urlencode(place)}")


@requires(Can.WORK_TASKS)
def task_new(request: HttpRequest) -> HttpResponse:
    """A task by hand; ?customer= fills the customer in."""
    zone, now = Workspace.current().zone, clock.now()
    usual = {"due": working_days.after(now, 1, zone).date(), "assignee": person(request).pk}
    form = TaskForm(request.POST or None, initial=usual | {"customer": request.GET.get("customer", "")})
    if form.is_valid():
        asked = form.cleaned_data
        assignee = asked["assignee"].pk if asked["assignee"] else None
        due_at = end_of_work(asked["due"], zone)
        open_task(asked["customer"].pk, asked["title"], asked["reason"], due_at, assignee, origin="")
        messages.success(request, f"Opened for {asked['customer']}: {asked['title']}.")
        return redirect("customers:today")
    return render(request, "customers/work/task_new.html", {"form": form}, status=422 if form.is_bound else 200)
