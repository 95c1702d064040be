"""The list of all cases, its file, and changes to many of them."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from customers.cases import bulk
from customers.cases.listing import STATES, asked_by, cases
from customers.lists.common import CUSTOMER, Row, bad, customer_of, linked, soft
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Case
from customers.models.cases import due_at
from customers.records.listing import Count
from customers.together import pages as together
from retention.common import clock
from retention.workspace.fragments import Fragment
from retention.workspace.people import person
from retention.workspace.places import page_of
from retention.workspace.roles import GRANTS, Can, requires
from retention.workspace.templatetags.shell import when

ROW, PICK = Fragment("customers/cases/row.html"), Fragment("customers/cases/pick.html")
PRIORITIES = dict(Case.Priority.choices)
PRESSING = (Case.Priority.HIGH, Case.Priority.URGENT)
OWN = ("pk", "external_id", "subject", "state", "priority", "opened_at", "answered_at", "resolved_at")
ASSIGNEE, OWNER = "assignee", "customer__owner"
NAMED = ("first_name", "last_name", "email")
HEADER = ("Reference", "Case", "Customer", "State", "Priority", "Opened", "Answer due", "Answered", "Resolved", "For")


def _read(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Each with its customer and whoever may see to it."""
    people = (f"{role}__{name}" for role in (ASSIGNEE, OWNER) for name in NAMED)
    return rows.values(*OWN, *CUSTOMER, *people)


def _cells(case: Row) -> Sequence[Any]:
    due = due_at(case["opened_at"], case["priority"]) if case["state"] == Case.State.OPEN else ""
    dates = case["opened_at"], due, case["answered_at"], case["resolved_at"]
    told = customer_of(case), STATES[case["state"]], PRIORITIES[case["priority"]]
    return (case["external_id"], case["subject"], *told, *dates, _person(case, ASSIGNEE) or _person(case, OWNER))


def _person(case: Row, role: str) -> str:
    """What they are called, as `User` says it; "" where there is nobody."""
    first, last, email = (case[f"{role}__{name}"] or "" for name in NAMED)
    return f"{first} {last}".strip() or email


def _row(case: Row, edits: bool) -> SafeString:
    subject, state = case["subject"], case["state"]
    return ROW(
        pick=PICK(pk=case["pk"], subject=subject) if edits else "",
        url=page_of("customers:case", case["pk"]),
        subject=subject,
        customer=linked(case),
        state=STATES[state],
        priority=_priority(case),
        opened=when(case["opened_at"]),
        due=_due(due_at(case["opened_at"], case["priority"])) if state == Case.State.OPEN else soft("–"),
        person=_person(case, ASSIGNEE) or soft(_person(case, OWNER) or "nobody"),
    )


def _priority(case: Row) -> str:
    word = PRIORITIES[case["priority"]]
    return bad(word) if case["state"] != Case.State.RESOLVED and case["priority"] in PRESSING else word


def _due(due: datetime) -> SafeString:
    late = f"{bad('Late:')} " if due < clock.now() else ""
    return SafeString(f"{late}{when(due)}")


def _shown(edits: bool) -> Shown:
    """Who edits customers picks cases."""
    sheet = Sheet("cases", HEADER, _cells)
    return Shown("customers/cases/all.html", "customers/cases/rows.html", sheet, partial(_row, edits=edits), _read)


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    me = person(request)
    shown = _shown(Can.EDIT_CUSTOMERS in GRANTS[me.role])
    more = {"changes": bulk.OFFERED, "none_at_all": lambda: not Case.objects.exists()}
    return answer(request, asked_by(me, request.GET), Case.objects.all(), shown, **more)


@require_POST
@requires(Can.EDIT_CUSTOMERS)
def change(request: HttpRequest) -> HttpResponse:
    """Change the cases picked at once; all that match by a job."""
    query, me = request.POST.get("query", ""), person(request)

    def found() -> QuerySet[Case]:
        return asked_by(me, QueryDict(query)).found(cases())

    action = request.POST.get("action", "")
    wish = together.Wish(bulk.ABOUT, action, query, found, lambda: Count(found().count(), exact=True))
    return together.answer(request, wish)
