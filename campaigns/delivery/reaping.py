"""What a dead worker left behind: claims go back to the queue; what was on the wire is in doubt and stays there."""

from dataclasses import dataclass

from django.db import connection

from retention.common import clock

_REAP = """
    UPDATE campaigns_message message SET
        state = CASE message.state WHEN 'claimed' THEN 'pending' ELSE 'unknown' END,
        reason = CASE message.state WHEN 'claimed' THEN '' ELSE 'The worker stopped before it knew.' END,
        token = CASE message.state WHEN 'sending' THEN message.token END
    FROM (
        SELECT id FROM campaigns_message WHERE state IN ('claimed', 'sending') AND lease_until <= %(now)s
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) AS lapsed
    WHERE message.id = lapsed.id
    RETURNING message.state
"""
BATCH = 10_000


@dataclass(frozen=True)
class Reaped:
    requeued: int
    unknown: int


def reap() -> Reaped:
    """Take back expired leases: `claimed` becomes pending, `sending` becomes unknown. Never the other way."""
    with connection.cursor() as cursor:
        cursor.execute(_REAP, {"now": clock.now(), "limit": BATCH})
        states = [state for (state,) in cursor.fetchall()]
    return Reaped(states.count("pending"), states.count("unknown"))
