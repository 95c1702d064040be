"""Taking messages off the queue: a claim is a token and a lease; without it nothing further can be done to them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from campaigns.models import Campaign, EmailStep, Message
from retention.common import clock

_CLAIM = """
    UPDATE campaigns_message message SET state = 'claimed', token = %(token)s, lease_until = %(until)s
    FROM (
        SELECT id FROM campaigns_message
        WHERE state = 'pending' AND due_at <= %(now)s AND step_id = ANY(%(steps)s)
        ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE message.id = due.id
    RETURNING message.id, message.step_id, message.customer_id, message.dedupe_key
"""


class Claimed(NamedTuple):
    message_id: int
    step_id: int
    customer_id: int
    dedupe_key: str


@dataclass(frozen=True)
class Claim:
    """Messages held by one token until the lease ends."""

    token: uuid.UUID
    messages: list[Claimed]


def claim(limit: int) -> Claim:
    """Claim up to `limit` messages that are due in running campaigns, those due longest first."""
    now, token = clock.now(), uuid.uuid4()
    steps = list(EmailStep.objects.filter(campaign__state=Campaign.State.RUNNING).values_list("id", flat=True))
    with connection.cursor() as cursor:
        until = now + settings.DELIVERY_LEASE
        values: dict[str, Any] = {"token": token, "now": now, "until": until, "steps": steps, "limit": limit}
        cursor.execute(_CLAIM, values)
        return Claim(token, sorted((Claimed(*row) for row in cursor.fetchall()), key=lambda each: each.message_id))


def release(held: Claim, message_ids: Iterable[int], *, wait: timedelta = timedelta(), why: str = "") -> None:
    """Put claimed messages back, to be claimed again after `wait`."""
    mine = Message.objects.filter(id__in=message_ids, token=held.token, state=Message.State.CLAIMED)
    back = {"state": Message.State.PENDING, "token": None, "lease_until": None, "reason": why}
    mine.update(**back, **({"due_at": clock.now() + wait} if wait else {}))
