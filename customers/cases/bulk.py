"""What can be done to many cases at once: those picked, or all that match."""

from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict

from customers.cases.listing import asked_by, cases
from customers.models import Case
from customers.together.actions import NOBODY, Action, Choices, Refused, name_of, to_one, to_text
from customers.together.changing import KINDS, Kind, run_in_parts
from customers.work.forms import names, workers
from retention.common import clock
from retention.common.sent import whole
from retention.workspace.jobs import JobFailed, Progress, job
from retention.workspace.models import User

ABOUT = "cases"


def _is_assignee(value: str) -> None:
    if value and not workers().filter(pk=whole(value) or 0).exists():
        raise Refused("Choose one of the people who look after cases.")


def _is_priority(value: str) -> None:
    if value not in Case.Priority.values:
        raise Refused("Choose a priority.")


def _people() -> Choices:
    return [(NOBODY, "Nobody"), *((str(pk), name) for pk, name in names().items())]


ACTIONS = {
    "assignee": to_one(
        "assignee_id", User, _is_assignee, lambda value: f"Assign to {name_of(value)}", "Whose", _people
    ),
    "priority": to_text(
        "priority",
        lambda value: f"Set the priority to {Case.Priority(value).label.lower()}",
        _is_priority,
        "Priority",
        lambda: forms.ChoiceField(choices=[("", "Choose…"), *Case.Priority.choices], label="Priority"),
    ),
    "resolve": Action(
        lambda _: ~Q(state=Case.State.RESOLVED),
        lambda _: {"state": Case.State.RESOLVED, "resolved_at": clock.now()},
        lambda _: "Close as resolved",
        before="state",
        back="state = l.before #>> '{}', resolved_at = NULL",
        # Who opened it again and resolved it once more has seen to it: that stands.
        still="r.state = 'resolved' AND NOT EXISTS ("
        "SELECT FROM customers_event AS again JOIN customers_manychange AS made ON made.id = l.change_id"
        " WHERE again.customer_id = r.customer_id AND again.kind = 'case.reopened' AND again.ref = 'case:' || r.id"
        " AND again.occurred_at > made.at)",
        label="Close as resolved",
    ),
}
#: What the list offers, by name.
OFFERED = {"Change": {name: action.label for name, action in ACTIONS.items()}}
KINDS[ABOUT] = Kind(
    model=Case,
    find=ACTIONS.get,
    noun="case",
    list_view="customers:cases",
    page_view="customers:case",
    customer="customer_id",
    ref="'case:' || r.id",
    payload="jsonb_build_object('case', r.id, 'subject', r.subject, 'priority', r.priority,"
    " 'by', %(by)s::text, 'said', %(said)s::text)",
    told=lambda action: ("case.resolved", "case.reopened") if action == "resolve" else ("case.changed", "case.changed"),
)


@job("cases.bulk")
def run(progress: Progress) -> dict[str, Any]:
    """Spec: `query` (the list's query string), `action`, `value`. Changes, part by part, what matched when it began."""
    by = progress.job.created_by
    if by is None:
        raise JobFailed("Whoever asked for it is here no longer.")
    asked = asked_by(by, QueryDict(progress.job.spec["query"]))
    ids = list(asked.narrow(cases()).order_by("pk").values_list("pk", flat=True))
    return run_in_parts(progress, ABOUT, ids)
