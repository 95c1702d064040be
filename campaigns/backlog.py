"""How much of this room's work waits, for `/readyz`."""

from django.db.models import Q

from campaigns.models import Message
from retention.common import clock
from retention.workspace.health import backlog

ENOUGH = 100_000


@backlog("messages")
def waiting_messages() -> int:
    """Messages that are due, or taken up and not yet settled, counted up to 100,000."""
    due = Q(state=Message.State.PENDING, due_at__lte=clock.now())
    taken = Q(state__in=[Message.State.CLAIMED, Message.State.SENDING])
    return Message.objects.filter(due | taken)[:ENOUGH].count()
