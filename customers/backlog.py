"""How much of this room's work waits, for `/readyz`."""

from customers.models import Event, RunStep
from retention.common import clock
from retention.workspace.health import backlog

ENOUGH = 100_000


@backlog("events")
def unrouted_events() -> int:
    """Events that have not had their effects yet, counted up to 100,000."""
    return Event.objects.filter(routed_at__isnull=True)[:ENOUGH].count()


@backlog("playbook steps")
def steps_to_open() -> int:
    """Steps of running playbooks whose day has come, counted up to 100,000."""
    due = RunStep.objects.filter(opened_at=None, left_out=False, opens_at__lte=clock.now(), run__state="running")
    return due[:ENOUGH].count()
