"""What follows for the customers of a batch: facts, stage, health, the segments they are in; then their playbooks."""

from datetime import timedelta

from customers.events.routing import Batch
from customers.facts import folding, stages
from customers.health import scoring
from customers.playbooks import following
from customers.segments import membership
from retention.workspace.models import Workspace


def react(batch: Batch) -> None:
    """Bring all that follows from the batch up to now, in the claim's transaction."""
    others = scoring.of_other_profile(batch.events)
    if customer_ids := sorted(others.union(batch.customer_ids)) if others else batch.customer_ids:
        now = folding.fold(customer_ids)
        window = timedelta(days=Workspace.current().activity_window)
        stages.record_moves(customer_ids, now, window)
        scoring.score(customer_ids, now)
        membership.refresh(customer_ids=customer_ids)
    following.follow(batch.events)
