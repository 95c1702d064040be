"""Milestones that slip, for Today: of agreed plans, late or due within a week."""

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from customers.models import Customer, Milestone, SuccessPlan
from customers.plans import keeping
from customers.work.moments import Whenever
from customers.work.needs import DayBegins, Line, Lines, Nearing, Overtaken, Told, need
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import day_text, relative

AHEAD = 7


def _said(line: Line) -> str:
    there = f" {line.about['theirs']} sees to it there." if line.about["theirs"] else ""
    verb = "was" if line.at < clock.now() else "is"
    return f"“{line.about['title']}” {verb} to be done by {day_text(line.at)}, {relative(line.at)}.{there}"


def _place(line: Line) -> str:
    return page_of("customers:plan", line.about["plan"])


def _done(key: str, by: User) -> None:
    """The key begins with the milestone's id."""
    try:
        keeping.turn(int(key.partition("/")[0]), Milestone.State.DONE, by)
    except (keeping.Refused, Milestone.DoesNotExist) as reason:
        raise Overtaken from reason


def _undone(milestone_id: int, by: User) -> Customer:
    try:
        return keeping.not_done(milestone_id, by).plan.customer
    except (keeping.Refused, Milestone.DoesNotExist) as reason:
        raise Overtaken from reason


@need("milestone", "Milestone slipping", "See to their milestone", said=_said, place=_place, done=_done, undone=_undone)
def slipping(moment: Whenever) -> Lines:
    """One that is given another day calls for somebody anew when that comes near."""
    told = Told(
        customer="plan__customer_id",
        ref="pk",
        key=Concat(Cast("pk", CharField()), Value("/"), Cast("due_on", CharField())),
        at=DayBegins("due_on", moment),
        urgency=Nearing(DayBegins("due_on", moment), moment),
        about={"title": F("title"), "plan": F("plan_id"), "theirs": F("theirs__name")},
        person="ours_id",
    )
    near = Milestone.objects.filter(state=Milestone.State.OPEN, due_on__lt=moment.day_in(AHEAD))
    return told.of(near.filter(plan__state=SuccessPlan.State.AGREED))
