"""Writing down what came of the wire, a batch at a time."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from campaigns.delivery.channels import Fate, Outcome
from retention.common import clock

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=2)

# A worker that comes back after its lease was taken for lost still knows better than "unknown".
# UUID_EQ and TEXTEQ: see departure.py.
_RECORD = """
    WITH given AS (
        SELECT * FROM UNNEST(%(messages)s::bigint[], %(fates)s::text[], %(codes)s::int[], %(replies)s::text[])
            AS given(message_id, fate, code, reply)
    ),
    moved AS (
        UPDATE campaigns_message message SET
            state = CASE WHEN given.fate <> 'retry' THEN given.fate
                         WHEN message.state = 'unknown' THEN 'failed' ELSE 'pending' END,
            reason = CASE given.fate WHEN 'sent' THEN '' ELSE LEFT(CONCAT_WS(' ', given.code, given.reply), 200) END,
            due_at = CASE given.fate WHEN 'retry' THEN %(now)s + LEAST(
                %(longest)s::interval, %(first)s::interval * POWER(2, LEAST(message.attempts, 20) - 1))
                ELSE message.due_at END,
            token = CASE given.fate WHEN 'unknown' THEN message.token END,
            lease_until = CASE given.fate WHEN 'unknown' THEN message.lease_until END,
            settled_at = CASE WHEN given.fate IN ('sent', 'failed') OR message.state = 'unknown'
                              THEN %(now)s::timestamptz END
        FROM given
        WHERE message.id = given.message_id AND UUID_EQ(message.token, %(token)s)
          AND (TEXTEQ(message.state, 'sending') OR TEXTEQ(message.state, 'unknown'))
        RETURNING message.id, message.customer_id, message.step_id, message.state, message.reason
    ),
    tried AS (
        UPDATE campaigns_attempt attempt
        SET outcome = given.fate, ended_at = %(now)s, reply_code = given.code, reply = LEFT(given.reply, 300)
        FROM given
        WHERE attempt.message_id = given.message_id
          AND UUID_EQ(attempt.token, %(token)s) AND TEXTEQ(attempt.outcome, '')
    ),
    freed AS (
        DELETE FROM campaigns_contactslot slot USING moved
        WHERE slot.customer_id = moved.customer_id AND slot.message_id = moved.id
          AND moved.state IN ('pending', 'failed')
    ),
    recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT moved.customer_id, 'message.' || moved.state, %(now)s, %(now)s, 'campaign', 'message:' || moved.id,
               jsonb_build_object('message', moved.id, 'campaign', campaign.id, 'name', campaign.name)
               || CASE moved.state WHEN 'failed' THEN jsonb_build_object('reason', moved.reason) ELSE '{}' END,
               'message:' || moved.id
        FROM moved
        JOIN campaigns_emailstep step ON step.id = moved.step_id
        JOIN campaigns_campaign campaign ON campaign.id = step.campaign_id
        WHERE moved.state IN ('sent', 'failed')
        ON CONFLICT DO NOTHING
    )
    SELECT COUNT(*) FROM moved
"""


@transaction.atomic
def record(token: uuid.UUID, outcomes: Sequence[Outcome]) -> int:
    """Settle messages and their attempts; those to be tried again wait longer each time. Gives how many moved."""
    now: datetime = clock.now()
    values: dict[str, Any] = {
        "token": token,
        "now": now,
        "first": FIRST_WAIT,
        "longest": LONGEST_WAIT,
        "messages": [each.message_id for each in outcomes],
        "fates": [str(each.fate) for each in outcomes],
        "codes": [each.code for each in outcomes],
        "replies": [each.reply.replace("\x00", "") for each in outcomes],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        moved: int = cursor.fetchone()[0]
    return moved


def tally(outcomes: Sequence[Outcome]) -> dict[Fate, int]:
    """How many of each fate."""
    return {fate: sum(each.fate == fate for each in outcomes) for fate in Fate}
