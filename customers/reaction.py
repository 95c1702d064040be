"""What follows for the customers of a batch: their facts, their stage, the segments they are in."""

from datetime import timedelta

from customers.events.routing import Batch
from customers.facts import folding, stages
from customers.segments import membership
from retention.workspace.models import Workspace


def react(batch: Batch) -> None:
    """Bring facts, stages and memberships of the batch's customers up to now, in the claim's transaction."""
    if not batch.customer_ids:
        return
    now = folding.fold(batch.customer_ids)
    window = timedelta(days=Workspace.current().activity_window)
    stages.record_moves(batch.customer_ids, now, window)
    membership.refresh(customer_ids=batch.customer_ids)
