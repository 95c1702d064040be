"""Work: a call for every detractor, done in time or still to do, and what account managers wrote down themselves."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from customers.models import Customer, Task
from customers.work import working_days
from retention.demo import writing
from retention.workspace.models import User, Workspace
from surveys.answering import DETRACTOR_TASK_DUE
from surveys.models import Answer
from surveys.scoring import DETRACTOR

STILL_OPEN = timedelta(days=21)
BY_HAND = (
    ("Send the new price list", "They asked for it at the fair."),
    ("Plan the visit in their new branch", "They open a second one in spring."),
    ("Offer the yearly plan", "A customer for long, still paying by the month."),
    ("Ask for a reference", "Well known in town."),
    ("Settle the open invoice", "Two weeks over time; their bookkeeper has changed."),
    ("Show them the cleaning programme", "They log services by hand."),
)


def write(rng: Random, now: datetime, managers: list[User]) -> None:
    Task.objects.bulk_create([*_calls(rng, now), *_by_hand(rng, now, managers)], batch_size=5_000)
    writing.tell(writing.WORKED)


def _calls(rng: Random, now: datetime) -> Iterator[Task]:
    """What a detractor's answer opens (surveys.answering), and whether it has been done by now."""
    zone = Workspace.current().zone
    for answer in Answer.objects.filter(DETRACTOR).select_related("customer").order_by("pk"):
        due_at = working_days.after(answer.answered_at, DETRACTOR_TASK_DUE, zone)
        done_at = due_at + timedelta(hours=rng.uniform(-30, 40))
        done = done_at < now and answer.answered_at < now - STILL_OPEN
        yield Task(
            customer=answer.customer,
            title=f"Call about their score of {answer.score}",
            reason=answer.comment or "They left no comment.",
            state=Task.State.DONE if done else Task.State.OPEN,
            due_at=due_at,
            assignee_id=answer.customer.owner_id,
            origin=f"answer:{answer.pk}",
            created_at=answer.answered_at,
            closed_at=done_at if done else None,
            closed_by_id=answer.customer.owner_id if done else None,
        )


def _by_hand(rng: Random, now: datetime, managers: list[User]) -> Iterator[Task]:
    for manager in managers:
        theirs = list(Customer.objects.filter(owner=manager, facts__mrr__gt=0).order_by("pk")[:200])
        for customer, (title, reason) in zip(rng.sample(theirs, min(6, len(theirs))), BY_HAND, strict=False):
            yield Task(
                customer=customer,
                title=title,
                reason=reason,
                due_at=now + timedelta(days=rng.choice((-2, -1, 0, 1, 2, 3, 5, 12)), hours=rng.uniform(0, 6)),
                assignee=manager,
                created_at=now - timedelta(days=rng.uniform(3, 12)),
            )
