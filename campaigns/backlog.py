"""How much of this room's work waits, for `/readyz`."""

from campaigns.models import Message
from retention.common import clock
from retention.workspace.health import backlog

ENOUGH = 100_000


@backlog("messages")
def waiting_messages() -> int:
    """Messages that are due and not yet taken up, counted up to 100,000."""
    return Message.objects.filter(state=Message.State.PENDING, due_at__lte=clock.now())[:ENOUGH].count()
