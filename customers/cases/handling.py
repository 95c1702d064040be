"""What is done about a case. Each locks the case and records its event; facts follow when the router takes that up.

Other words and another priority are no event; health weighs cases by their priority, so the customer is marked.
"""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction

from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.models import Case, Customer, Event
from retention.common import clock


class Refused(Exception):
    """It cannot be done to a case in this state; the text says why, for the person who asked."""


@transaction.atomic
def open_case(customer: Customer, subject: str, priority: str, assignee_id: int | None) -> Case:
    """A new case, opened now by hand."""
    now = clock.now()
    case = Case.objects.create(
        customer=customer,
        external_id=f"own-{uuid.uuid4().hex[:12]}",
        subject=subject,
        priority=priority,
        opened_at=now,
        assignee_id=assignee_id,
        source="web",
        updated_at=now,
    )
    _tell(case, "case.opened")
    return case


@transaction.atomic
def answer(case_id: int, by_id: int | None = None) -> Case:
    """Note an answer; `by_id` is who may take that back. Raises Refused, and Case.DoesNotExist."""
    case = _locked(case_id)
    if case.state != Case.State.OPEN:
        raise Refused(f"It is {case.get_state_display().lower()} already.")
    now = clock.now()
    case.state, case.answered_at = Case.State.ANSWERED, case.answered_at or now
    return _save(case, "case.answered", now, **({"by": by_id} if by_id else {}))


@transaction.atomic
def wait_again(case_id: int, by_id: int) -> Case:
    """Take back this person's answer, and with it that there was a first one, where it was that.

    Raises Refused where somebody has seen to the case since, and Case.DoesNotExist.
    """
    case = _locked(case_id)
    theirs = _answer_of(case, by_id)
    if case.state != Case.State.ANSWERED or theirs is None:
        raise Refused("Somebody has seen to it since.")
    first_answer = case.answered_at == theirs.occurred_at
    case.state, case.answered_at = Case.State.OPEN, None if first_answer else case.answered_at
    return _save(case, "case.reopened")


def _answer_of(case: Case, by_id: int) -> Event | None:
    """This person's answer, where it is the last that happened to the case. Who sees to it may have changed since."""
    happened = Event.objects.filter(customer=case.customer_id, ref=_ref(case)).exclude(kind="case.changed")
    last = happened.order_by("pk").last()
    return last if last and last.kind == "case.answered" and last.payload.get("by") == by_id else None


@transaction.atomic
def resolve(case_id: int) -> Case:
    """Raises Refused, and Case.DoesNotExist."""
    case = _locked(case_id)
    if case.state == Case.State.RESOLVED:
        raise Refused("It is resolved already.")
    case.state, case.resolved_at = Case.State.RESOLVED, clock.now()
    return _save(case, "case.resolved")


@transaction.atomic
def reopen(case_id: int) -> Case:
    """Raises Refused, and Case.DoesNotExist."""
    case = _locked(case_id)
    if case.state != Case.State.RESOLVED:
        raise Refused("It is not resolved.")
    case.state, case.resolved_at = Case.State.OPEN, None
    return _save(case, "case.reopened")


@transaction.atomic
def rate(case_id: int, rating: int) -> Case:
    """What the customer said of the help, from 1 to 5. Raises Refused, and Case.DoesNotExist."""
    case = _locked(case_id)
    if case.state != Case.State.RESOLVED:
        raise Refused("A case is rated once it is resolved.")
    case.rating, case.rated_at = rating, clock.now()
    return _save(case, "case.rated", rating=rating)


@transaction.atomic
def change(case_id: int, subject: str, priority: str, assignee_id: int | None) -> Case:
    """Other words, another priority, somebody else. Raises Case.DoesNotExist."""
    case = _locked(case_id)
    case.subject, case.priority, case.assignee_id = subject, priority, assignee_id
    case.updated_at = clock.now()
    case.save()
    dirty.mark([case.customer_id])
    return case


def _locked(case_id: int) -> Case:
    return Case.objects.select_for_update().get(pk=case_id)


def _save(case: Case, kind: str, at: datetime | None = None, **more: Any) -> Case:
    case.updated_at = at or clock.now()
    case.save()
    _tell(case, kind, **more)
    return case


def _tell(case: Case, kind: str, **more: Any) -> None:
    payload = {"case": case.pk, "subject": case.subject, "priority": case.priority, **more}
    record([Happening(case.customer_id, kind, case.updated_at, "web", _ref(case), payload)])


def _ref(case: Case) -> str:
    return f"case:{case.pk}"
