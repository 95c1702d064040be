"""A plan as its pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from django.db.models import Count, Min, Prefetch, Q, QuerySet

from customers.models import Goal, Milestone, SuccessPlan
from retention.common import clock

_STEPS = ~Q(milestones__state=Milestone.State.DROPPED)
_OPEN = Q(milestones__state=Milestone.State.OPEN)


@dataclass(frozen=True)
class Progress:
    """Milestones done, of all that were not dropped."""

    done: int
    of: int

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.of) if self.of else 0


@dataclass(frozen=True)
class Section:
    """A goal with its milestones; None for those that belong to no goal."""

    goal: Goal | None
    steps: Sequence[Milestone]


@dataclass(frozen=True)
class Roadmap:
    """A plan, whole."""

    plan: SuccessPlan
    sections: Sequence[Section]
    today: date

    @property
    def steps(self) -> list[Milestone]:
        return [step for section in self.sections for step in section.steps]

    @property
    def progress(self) -> Progress:
        counted = [step for step in self.steps if step.state != Milestone.State.DROPPED]
        return Progress(sum(step.state == Milestone.State.DONE for step in counted), len(counted))

    @property
    def late(self) -> int:
        return sum(step.state == Milestone.State.OPEN and step.due_on < self.today for step in self.steps)


def today(zone: tzinfo) -> date:
    return clock.now().astimezone(zone).date()


def roadmap(plan: SuccessPlan, day: date) -> Roadmap:
    """Two queries."""
    steps = list(plan.milestones.select_related("ours", "theirs"))
    goals = [Section(goal, [step for step in steps if step.goal_id == goal.pk]) for goal in plan.goals.all()]
    loose = [step for step in steps if step.goal_id is None]
    return Roadmap(plan, [*goals, Section(None, loose)] if loose else goals, day)


def listed(plans: QuerySet[SuccessPlan], day: date) -> QuerySet[SuccessPlan]:
    """With `done`, `of`, `late` and `next_on`, and the next steps as `next_steps`; the open ones first."""
    counted = plans.annotate(
        done=Count("milestones", filter=Q(milestones__state=Milestone.State.DONE)),
        of=Count("milestones", filter=_STEPS),
        late=Count("milestones", filter=_OPEN & Q(milestones__due_on__lt=day)),
        next_on=Min("milestones__due_on", filter=_OPEN),
    )
    to_do = Milestone.objects.filter(state=Milestone.State.OPEN).select_related("ours", "theirs")
    return counted.prefetch_related(Prefetch("milestones", to_do, to_attr="next_steps"))
