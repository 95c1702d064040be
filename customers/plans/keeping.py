"""Keeping a plan: begun, agreed, its steps moved, done and dropped, closed in the end. Each is told as an event.

Whatever changes a plan locks its row first, so that nothing is added to one that is being closed.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.formats import date_format

from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.models import Contact, Customer, Event, Goal, Milestone, SuccessPlan
from retention.common import clock
from retention.workspace.models import User


class Refused(Exception):
    """It cannot be done to the plan as it stands; the text says why, for the person who asked."""


@transaction.atomic
def begin(customer: Customer, title: str, summary: str, goals: Iterable[str], by: User) -> SuccessPlan:
    now = clock.now()
    plan = SuccessPlan.objects.create(customer=customer, title=title, summary=summary, created_by=by, created_at=now)
    Goal.objects.bulk_create(Goal(plan=plan, text=text) for text in goals)
    tell(plan, "plan.begun", now, by=str(by))
    return plan


@transaction.atomic
def agree(plan_id: int, contact: Contact | None) -> None:
    """Note that the customer agreed, by whom of theirs. Raises Refused, and SuccessPlan.DoesNotExist."""
    plan = open_plan(plan_id)
    if plan.state == SuccessPlan.State.AGREED:
        raise Refused("It is agreed already.")
    plan.state, plan.agreed_at, plan.agreed_with = SuccessPlan.State.AGREED, clock.now(), contact
    plan.save()
    tell(plan, "plan.agreed", clock.now(), by=str(contact or plan.customer))


@transaction.atomic
def close(plan_id: int, state: SuccessPlan.State, by: User) -> None:
    """Reached, or dropped. Raises Refused, and SuccessPlan.DoesNotExist."""
    plan = open_plan(plan_id)
    plan.state, plan.closed_at = state, clock.now()
    plan.save()
    tell(plan, "plan.closed", clock.now(), by=str(by), said=state.label.lower())


@transaction.atomic
def reopen(plan_id: int, by: User) -> None:
    """Take up a closed plan again, as it was. Raises Refused, and SuccessPlan.DoesNotExist."""
    plan = _locked(plan_id)
    if plan.is_open:
        raise Refused("It is open.")
    plan.state = SuccessPlan.State.AGREED if plan.agreed_at else SuccessPlan.State.DRAFT
    plan.closed_at = None
    plan.save()
    tell(plan, "plan.reopened", clock.now(), by=str(by))


def rename(plan: SuccessPlan) -> None:
    """Store other words of an open plan, which is locked."""
    plan.save()
    dirty.mark([plan.customer_id])  # no event, and yet segments ask about plans by their title


def keep(milestone: Milestone, was_due: date | None, by: User) -> None:
    """Store a new or changed milestone of an open plan, which is locked; `was_due` is None for a new one."""
    milestone.save()
    if was_due and was_due != milestone.due_on:
        _tell_step(milestone, "milestone.moved", by=str(by), was=day_of(was_due))
    else:
        dirty.mark([milestone.plan.customer_id])  # no event, and yet a part of the plan's progress


@transaction.atomic
def turn(milestone_id: int, state: Milestone.State, by: User) -> Milestone:
    """Done, dropped or open again. Raises Refused, and Milestone.DoesNotExist."""
    plan = open_plan(Milestone.objects.get(pk=milestone_id).plan_id)
    step = Milestone.objects.select_for_update().get(pk=milestone_id)
    if step.state == state:
        raise Refused(f"It is {step.get_state_display().lower()} already.")
    step.plan, step.state = plan, state
    step.done_at = clock.now() if state == Milestone.State.DONE else None
    step.save()
    if state == Milestone.State.DONE:
        _tell_step(step, "milestone.done", by=str(by), person=by.pk)
    elif state == Milestone.State.OPEN:
        _tell_step(step, "milestone.reopened", by=str(by))
    else:
        dirty.mark([plan.customer_id])
    return step


@transaction.atomic
def not_done(milestone_id: int, by: User) -> Milestone:
    """Take back that this person did it. Raises Refused where somebody has seen to it since, Milestone.DoesNotExist."""
    plan = open_plan(Milestone.objects.get(pk=milestone_id).plan_id)
    told = Event.objects.filter(customer=plan.customer_id, ref=_ref(plan), payload__milestone=milestone_id)
    last = told.order_by("pk").last()
    theirs = last and last.kind == "milestone.done" and last.payload.get("person") == by.pk
    if not theirs or Milestone.objects.get(pk=milestone_id).state != Milestone.State.DONE:
        raise Refused("Somebody has seen to it since.")
    return turn(milestone_id, Milestone.State.OPEN, by)


def open_plan(plan_id: int) -> SuccessPlan:
    """The plan, locked. Raises Refused where it is closed, and SuccessPlan.DoesNotExist."""
    plan = _locked(plan_id)
    if not plan.is_open:
        raise Refused("The plan is closed. Take it up again first.")
    return plan


def _locked(plan_id: int) -> SuccessPlan:
    return SuccessPlan.objects.select_for_update(of=("self",)).select_related("customer").get(pk=plan_id)


def day_of(day: date) -> str:
    """4 May 2026."""
    return date_format(day, "j M Y")


def _tell_step(step: Milestone, kind: str, **more: Any) -> None:
    tell(step.plan, kind, clock.now(), milestone=step.pk, title=step.title, due=day_of(step.due_on), **more)


def tell(plan: SuccessPlan, kind: str, at: datetime, **more: Any) -> None:
    payload = {"plan": plan.pk, "title": plan.title, **more}
    record([Happening(plan.customer_id, kind, at, "web", _ref(plan), payload)])


def _ref(plan: SuccessPlan) -> str:
    return f"plan:{plan.pk}"
