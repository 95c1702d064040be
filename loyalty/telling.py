"""Telling: events on the customer's timeline, and a task for whoever asked once there is an answer."""

from collections.abc import Collection
from datetime import datetime

from customers.events.recording import Happening, record
from customers.models import Task
from customers.work import working_days
from customers.work.tasks import close_task, open_task
from loyalty.costing import Terms
from loyalty.models import Offer
from retention.common import clock
from retention.workspace.models import User, Workspace


def tell(offer: Offer, what: str, by: User | None, at: datetime) -> None:
    """Record `offer.<what>`, once per offer."""
    record([happening(offer, what, by, at)])


def happening(offer: Offer, what: str, by: User | None, at: datetime) -> Happening:
    payload = {
        "offer": offer.pk,
        "said": Terms.of(offer).said(offer.currency),
        "kind": offer.kind,
        "reason": offer.reason,
        "amount": str(offer.cost),
        "currency": offer.currency,
        "by": str(by) if by else "",
    }
    return Happening(
        customer_id=offer.customer_id,
        kind=f"offer.{what}",
        occurred_at=at,
        source="loyalty",
        ref=f"offer:{offer.pk}",
        payload=payload,
        dedup_key=f"{what}:{offer.pk}",
    )


def tell_asker(offer: Offer, title: str, reason: str) -> None:
    """A task on the asker's Today, due a working day from now."""
    due_at = working_days.after(clock.now(), 1, Workspace.current().zone)
    open_task(offer.customer_id, title, reason, due_at, offer.asked_by_id, origin=_origin(offer))


def close_tasks(offers: Collection[Offer], by: User, state: Task.State) -> None:
    """What whoever asked was told to do about these offers is done, or need not be done any more."""
    origins, customers = [_origin(offer) for offer in offers], [offer.customer_id for offer in offers]
    told = Task.objects.filter(customer__in=customers, origin__in=origins, state=Task.State.OPEN)
    for task_id in told.order_by("pk").values_list("pk", flat=True):
        close_task(task_id, state, by.pk)


def _origin(offer: Offer) -> str:
    return f"offer:{offer.pk}"
