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
from customers.lists.common import CUSTOMER, bad, linked, soft
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Case
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
OWN = ("external_id", "subject", "state", "priority", "opened_at", "answered_at", "resolved_at")
NAMED = ("first_name", "last_name", "email")
HEADER = ("Reference", "Case", "Customer", "State", "Priority", "Opened", "Answer due", "Answered", "Resolved", "For")


def listed() -> QuerySet[Case]:
    """Each with no more of it than the list and its file tell."""
    people = (f"{role}__{name}" for role in ("assignee", "customer__owner") for name in NAMED)
    return cases().only(*OWN, *CUSTOMER, *people)


def _cells(case: Any) -> Sequence[Any]:
    due = case.due_at if case.state == Case.State.OPEN else ""
    dates = case.opened_at, due, case.answered_at, case.resolved_at
    state, priority = STATES[case.state], PRIORITIES[case.priority]
    return (case.external_id, case.subject, str(case.customer), state, priority, *dates, str(_seen_to_by(case) or ""))


def _seen_to_by(case: Case) -> Any:
    return case.assignee or case.customer.owner


def _row(case: Any, edits: bool) -> SafeString:
    return ROW(
        pick=PICK(pk=case.pk, subject=case.subject) if edits else "",
        url=page_of("customers:case", case.pk),
        subject=case.subject,
        customer=linked(case.customer),
        state=STATES[case.state],
        priority=_priority(case),
        opened=when(case.opened_at),
        due=_due(case.due_at) if case.state == Case.State.OPEN else soft("–"),
        person=case.assignee or soft(str(case.customer.owner or "nobody")),
    )


def _priority(case: Case) -> str:
    word = PRIORITIES[case.priority]
    return bad(word) if case.state != Case.State.RESOLVED and case.priority in PRESSING else word


def _due(due: datetime) -> SafeString:
    late = f"{bad('Late:')} " if due < clock.now() else ""
    return SafeString(f"{late}{when(due)}")


def _shown(edits: bool) -> Shown:
    """Who edits customers picks cases."""
    sheet = Sheet("cases", HEADER, _cells)
    return Shown("customers/cases/all.html", "customers/cases/rows.html", sheet, partial(_row, edits=edits))


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    me = person(request)
    shown = _shown(Can.EDIT_CUSTOMERS in GRANTS[me.role])
    more = {"changes": bulk.OFFERED, "none_at_all": lambda: not Case.objects.exists()}
    return answer(request, asked_by(me, request.GET), listed(), shown, **more)


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
