"""What follows for the customers of a batch: their facts, their stage, their health, the segments they are in."""

from datetime import timedelta

from customers.events.routing import Batch
from customers.facts import folding, stages
from customers.health import scoring
from customers.segments import membership
from retention.workspace.models import Workspace


def react(batch: Batch) -> None:
    """Bring all that follows from facts up to now for the batch's customers, in the claim's transaction."""
    others = scoring.of_other_profile(batch.events)
    customer_ids = sorted(others.union(batch.customer_ids)) if others else batch.customer_ids
    if not customer_ids:
        return
    now = folding.fold(customer_ids)
    window = timedelta(days=Workspace.current().activity_window)
    stages.record_moves(customer_ids, now, window)
    scoring.score(customer_ids, now)
    membership.refresh(customer_ids=customer_ids)
