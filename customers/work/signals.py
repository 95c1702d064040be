"""Signals: what the facts say somebody should look at, before anybody wrote a task for it.

A signal and the task made of it share an origin (renewal:2026-12-15, at_risk:2026-11-02): once somebody has dealt
with it, it is silent until the facts say something new.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from customers.models import CustomerFacts, Task
from customers.work.tasks import open_task


@dataclass(frozen=True)
class Signal:
    """A kind of signal: what to do about it, and which fact dates it."""

    kind: str
    action: str
    dated_by: str

    def origin(self, facts: CustomerFacts) -> str:
        """What a task about it is asked by, as kind:day (the day in UTC)."""
        dated: datetime | None = getattr(facts, self.dated_by)
        return f"{self.kind}:{dated.astimezone(UTC).date().isoformat() if dated else ''}"


RENEWAL = Signal("renewal", "Agree the renewal", "renews_at")
AT_RISK = Signal("at_risk", "Find out why they went quiet", "stage_since")
SIGNALS = {signal.kind: signal for signal in (RENEWAL, AT_RISK)}


def deadline(task: Task) -> datetime | None:
    """The instant that a task is about, where it is about one that the facts still know: work is done before it."""
    facts = CustomerFacts.objects.filter(customer=task.customer_id).first()
    return facts.renews_at if facts and task.origin == RENEWAL.origin(facts) else None


def make_task(signal: Signal, customer_id: int, due_at: datetime) -> Task:
    """The task about what a signal says now of a customer, for whoever looks after them."""
    facts = CustomerFacts.objects.select_related("customer").get(pk=customer_id)
    return open_task(customer_id, signal.action, "", due_at, facts.customer.owner_id, signal.origin(facts))
