"""What an agreement will do, told before it is made: it is made, looked at, and taken back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from customers.models import Subscription
from retention.common import clock
from retention.workspace.templatetags.shell import day_text, money


@dataclass(frozen=True)
class Step:
    """MRR from an instant on; 0 where nothing is in force."""

    at: datetime
    mrr: Decimal
    currency: str

    def __str__(self) -> str:
        return money(self.mrr, self.currency) if self.mrr else "nothing"


@dataclass(frozen=True)
class Outlook:
    """A subscription from now on: `steps` begin with what stands now."""

    steps: tuple[Step, ...]
    renews_at: datetime | None
    auto_renews: bool


def outlook(row: Subscription) -> Outlook:
    now = clock.now()
    terms = [term for term in row.terms.order_by("valid_from") if term.valid_to is None or term.valid_to > now]
    steps: list[Step] = []
    for term in terms:
        if not steps and term.valid_from > now:
            steps.append(Step(now, Decimal(0), term.currency))
        steps.append(Step(max(term.valid_from, now), term.mrr, term.currency))
    if terms and (end := terms[-1].valid_to):
        steps.append(Step(end, Decimal(0), terms[-1].currency))
    return Outlook(tuple(steps) or (Step(now, Decimal(0), ""),), row.renews_at, row.auto_renews)


def rehearsed(act: Callable[[], Subscription]) -> Outlook:
    """What would stand after `act`, which is taken back. Raises whatever it raises."""
    with transaction.atomic():
        found = outlook(act())
        transaction.set_rollback(True)
    return found


def told(before: Outlook | None, after: Outlook) -> Iterator[str]:
    """What an agreement changes, in sentences."""
    stood = str(before.steps[0]) if before else "nothing"
    first, *later = after.steps
    yield f"MRR today: {first}{', as now' if str(first) == stood else f' instead of {stood}'}."
    for step in later:
        yield f"MRR from {day_text(step.at)} on: {step}."
    dropped = [step for step in before.steps[1:] if step.at not in {each.at for each in later}] if before else []
    for step in dropped:
        yield f"What was planned for {day_text(step.at)}, {step}, is dropped." if step.mrr else _goes_on(step)
    if after.renews_at and (before is None or before.renews_at != after.renews_at):
        how = "It renews by itself on" if after.auto_renews else "Unless it is renewed, it ends on"
        yield f"{how} {day_text(after.renews_at)}."
    elif before and before.renews_at and not after.renews_at:
        yield f"It does not renew on {day_text(before.renews_at)} any more."


def _goes_on(end: Step) -> str:
    return f"It does not end on {day_text(end.at)} any more."
