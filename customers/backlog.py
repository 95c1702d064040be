"""How much of this room's work waits, for `/readyz`."""

from customers.models import Event
from retention.workspace.health import backlog

ENOUGH = 100_000


@backlog("events")
def unrouted_events() -> int:
    """Events that have not had their effects yet, counted up to 100,000."""
    return Event.objects.filter(routed_at__isnull=True)[:ENOUGH].count()
