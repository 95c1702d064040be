"""The list of all cases, its file, and changes to many of them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from customers.cases import bulk
from customers.cases.listing import STATES, asked_by, cases
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Case
from customers.records.listing import Count
from customers.together import pages as together
from retention.common import clock
from retention.workspace.people import person
from retention.workspace.roles import Can, requires

HEADER = ("Reference", "Case", "Customer", "State", "Priority", "Opened", "Answer due", "Answered", "Resolved", "For")


def _cells(case: Any) -> Sequence[Any]:
    due = case.due_at if case.state == Case.State.OPEN else ""
    dates = case.opened_at, due, case.answered_at, case.resolved_at
    state, priority = STATES[case.state], case.get_priority_display()
    return (case.external_id, case.subject, str(case.customer), state, priority, *dates, str(_seen_to_by(case) or ""))


def _seen_to_by(case: Case) -> Any:
    return case.assignee or case.customer.owner


SHOWN = Shown("customers/cases/all.html", "customers/cases/rows.html", Sheet("cases", HEADER, _cells))


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    asked = asked_by(person(request), request.GET)
    more = {"changes": bulk.OFFERED, "now": clock.now(), "none_at_all": lambda: not Case.objects.exists()}
    return answer(request, asked, cases(), SHOWN, **more)


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
