"""The point of no return: one short transaction that lets a small chunk of messages go, just before the wire.

Customers' rows are locked FOR SHARE, in id order, before their consent is read; an opt-out locks the same row FOR
UPDATE before it writes. So nothing begins after an opt-out has been committed. A row that is locked at the moment is
not waited for: its message goes back to the queue.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from campaigns.delivery.claiming import Claim
from campaigns.delivery.hours import local
from campaigns.sparing import HELD_OUT_BY
from retention.common import clock
from retention.workspace.models import Workspace

SOON = timedelta(seconds=10)


class Ready(NamedTuple):
    """A message that is ready to go to an address: the one its letter was written for."""

    message_id: int
    customer_id: int
    address: str


class Departed(NamedTuple):
    """`gone` may go on the wire; `ended` were stopped for good, by us just now. Ids of messages."""

    gone: set[int]
    ended: set[int]


# verdict: state it leads to, reason in words. "go" and "full" are told apart by the day's slots.
_VERDICTS = {
    "finished": ("cancelled", "The campaign was finished."),
    "goal": ("cancelled", "They ordered before it was sent."),
    "left": ("cancelled", "They had left the campaign."),
    "late": ("expired", "It could not be sent in time."),
    "address": ("suppressed", "They have no e-mail address."),
    "consent": ("suppressed", "They have not agreed to e-mail, or unsubscribed."),
    "listed": ("suppressed", "The address is on the suppression list."),
    "held_out": ("suppressed", "Held out as control by “{campaign}”, which has not judged them yet."),
    "busy": ("pending", "Their record was being changed at that moment."),
    "paused": ("pending", "The campaign is paused."),
    "moved": ("pending", "Their address changed meanwhile."),
    "quiet": ("pending", "It is a quiet hour where they are."),
    "full": ("pending", "They got as many messages that day as one may get."),
    "shared": ("suppressed", "Another customer with the same address gets it, or got it."),
    "go": ("sending", ""),
}
_ENDS = {verdict for verdict, (state, _) in _VERDICTS.items() if state in ("cancelled", "expired", "suppressed")}

_CAMPAIGNS = """
    SELECT campaign.id FROM campaigns_campaign campaign WHERE campaign.id IN (
        SELECT step.campaign_id FROM campaigns_emailstep step
        JOIN campaigns_message message ON message.step_id = step.id WHERE message.id = ANY(%s)
    ) ORDER BY campaign.id FOR SHARE
"""
_CUSTOMERS = """
    SELECT id, time_zone FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR SHARE SKIP LOCKED
"""
# UUID_EQ, TEXTEQ and TIMESTAMPTZ_GT are = and > by another name: the planner takes `token = …` for a condition that
# hardly a row fulfils, and would then compare every row of the chunk with every other.
_DEPART = """
    WITH ready AS (
        SELECT * FROM UNNEST(%(messages)s::bigint[], %(addresses)s::text[]) AS given(message_id, address)
    ),
    there AS (
        SELECT locked.customer_id, hours.day, hours.quiet_until, hours.next_day
        FROM UNNEST(%(customers)s::bigint[], %(zones)s::text[]) AS locked(customer_id, zone)
        JOIN UNNEST(%(zone_names)s::text[], %(days)s::date[], %(quiet)s::timestamptz[], %(next)s::timestamptz[])
            AS hours(zone, day, quiet_until, next_day) ON hours.zone = locked.zone
    ),
    word AS (
        SELECT * FROM UNNEST(%(verdicts)s::text[], %(states)s::text[], %(reasons)s::text[])
            AS given(verdict, state, reason)
    ),
    verdicts AS (
        SELECT message.id, message.customer_id, message.channel, message.due_at, customer.email,
               message.step_id, LOWER(customer.email) COLLATE "C" AS address,
               there.day, there.quiet_until, there.next_day, spared.held_out_by,
               CASE WHEN there.customer_id IS NULL THEN 'busy'
                    WHEN campaign.state = 'finished' THEN 'finished'
                    WHEN enrolment.goal_met_at IS NOT NULL THEN 'goal'
                    WHEN enrolment.left_at IS NOT NULL AND message.resend_of_id IS NULL THEN 'left'
                    WHEN message.send_by <= %(now)s THEN 'late'
                    WHEN customer.email = '' THEN 'address'
                    WHEN NOT EXISTS (
                        SELECT 1 FROM customers_consent consent WHERE consent.customer_id = customer.id
                        AND consent.channel = message.channel AND consent.state = 'granted') THEN 'consent'
                    WHEN EXISTS (
                        SELECT 1 FROM campaigns_suppression suppression WHERE suppression.channel = message.channel
                        AND LOWER(suppression.address) = LOWER(customer.email)) THEN 'listed'
                    WHEN campaign.spare_controls AND spared.held_out_by IS NOT NULL THEN 'held_out'
                    WHEN campaign.state <> 'running' THEN 'paused'
                    WHEN customer.email <> ready.address THEN 'moved'
                    WHEN there.quiet_until IS NOT NULL THEN 'quiet'
                    ELSE 'go' END AS verdict
        FROM ready
        JOIN campaigns_message message ON message.id = ready.message_id
        JOIN campaigns_enrolment enrolment ON enrolment.id = message.enrolment_id
        JOIN campaigns_campaign campaign ON campaign.id = enrolment.campaign_id
        JOIN customers_customer customer ON customer.id = message.customer_id
        CROSS JOIN LATERAL (SELECT {held_out_by} AS held_out_by) AS spared
        LEFT JOIN there ON there.customer_id = message.customer_id
        WHERE UUID_EQ(message.token, %(token)s) AND TEXTEQ(message.state, 'claimed')
          AND TIMESTAMPTZ_GT(message.lease_until, %(now)s)
    ),
    -- Whose an address is for a step: of two at once the second waits here, and then reads who was first.
    recipient AS (
        INSERT INTO campaigns_recipient AS first (step_id, address, customer_id)
        SELECT DISTINCT ON (step_id, address) step_id, address, customer_id FROM verdicts WHERE verdict = 'go'
        ORDER BY step_id, address, id
        ON CONFLICT (step_id, address) DO UPDATE SET customer_id = first.customer_id
        RETURNING step_id, address, customer_id
    ),
    alone AS (
        SELECT verdicts.id, verdicts.customer_id, channel, due_at, email, day, quiet_until, next_day, held_out_by,
               CASE WHEN recipient.customer_id <> verdicts.customer_id THEN 'shared' ELSE verdict END AS verdict
        FROM verdicts LEFT JOIN recipient
            ON verdicts.verdict = 'go' AND recipient.step_id = verdicts.step_id AND recipient.address = verdicts.address
    ),
    judged AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY verdict, customer_id, channel ORDER BY id) AS place FROM alone
    ),
    asking AS (
        SELECT judged.*, (
            SELECT number FROM GENERATE_SERIES(1, %(a_day)s) AS numbers(number)
            WHERE judged.verdict = 'go' AND NOT EXISTS (
                SELECT 1 FROM campaigns_contactslot slot WHERE slot.customer_id = judged.customer_id
                AND slot.channel = judged.channel AND slot.day = judged.day AND slot.number = numbers.number)
            ORDER BY number OFFSET judged.place - 1 LIMIT 1) AS number
        FROM judged
    ),
    taken AS (
        INSERT INTO campaigns_contactslot (customer_id, channel, day, number, message_id)
        SELECT customer_id, channel, day, number, id FROM asking WHERE number IS NOT NULL
        ORDER BY customer_id, channel, number
        ON CONFLICT DO NOTHING
        RETURNING message_id
    ),
    final AS (
        SELECT asking.*, CASE WHEN verdict <> 'go' OR id IN (SELECT message_id FROM taken) THEN verdict
                              WHEN number IS NULL THEN 'full' ELSE 'busy' END AS ends
        FROM asking
    ),
    tried AS (
        INSERT INTO campaigns_attempt (id, message_id, token, started_at, outcome, reply)
        SELECT GEN_RANDOM_UUID(), id, %(token)s, %(now)s, '', '' FROM final WHERE ends = 'go'
        RETURNING message_id
    )
    UPDATE campaigns_message message SET
        state = word.state, reason = REPLACE(word.reason, '{campaign}', COALESCE(final.held_out_by, '')),
        token = CASE word.state WHEN 'sending' THEN message.token END,
        lease_until = CASE word.state WHEN 'sending' THEN %(until)s::timestamptz END,
        attempts = message.attempts + CASE word.state WHEN 'sending' THEN 1 ELSE 0 END,
        address = CASE word.state WHEN 'sending' THEN final.email ELSE message.address END,
        due_at = CASE final.ends WHEN 'busy' THEN %(soon)s::timestamptz WHEN 'quiet' THEN final.quiet_until
                                 WHEN 'full' THEN final.next_day ELSE message.due_at END,
        settled_at = CASE WHEN word.state IN ('cancelled', 'expired', 'suppressed') THEN %(now)s::timestamptz END
    FROM final JOIN word ON word.verdict = final.ends
    WHERE message.id = final.id AND UUID_EQ(message.token, %(token)s) AND TEXTEQ(message.state, 'claimed')
    RETURNING message.id, final.ends
""".replace("{held_out_by}", HELD_OUT_BY)


@transaction.atomic(durable=True)
def depart(held: Claim, chunk: Sequence[Ready], workspace: Workspace) -> Departed:
    """Let go of what may go now: these messages are `sending`, and their attempts are committed, when this returns.

    The others of the chunk are suppressed, expired, cancelled or back in the queue, each with its reason; those whose
    claim was lost are left alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CAMPAIGNS, [[each.message_id for each in chunk]])
        cursor.execute(_CUSTOMERS, [[each.customer_id for each in chunk]])
        zones = dict(cursor.fetchall())
        cursor.execute(_DEPART, _values(held, chunk, zones, workspace, clock.now()))
        verdicts = cursor.fetchall()
    return Departed(
        gone={message_id for message_id, verdict in verdicts if verdict == "go"},
        ended={message_id for message_id, verdict in verdicts if verdict in _ENDS},
    )


def _values(
    held: Claim, chunk: Sequence[Ready], zones: dict[int, str], workspace: Workspace, now: datetime
) -> dict[str, Any]:
    hours = {zone: local(zone, workspace, now) for zone in set(zones.values())}
    return {
        "token": held.token,
        "now": now,
        "until": now + settings.DELIVERY_LEASE,
        "soon": now + SOON,
        "a_day": workspace.messages_per_day,
        "messages": [each.message_id for each in chunk],
        "addresses": [each.address for each in chunk],
        "customers": list(zones),
        "zones": list(zones.values()),
        "zone_names": list(hours),
        "days": [each.day for each in hours.values()],
        "quiet": [each.quiet_until for each in hours.values()],
        "next": [each.next_day for each in hours.values()],
        "verdicts": list(_VERDICTS),
        "states": [state for state, _ in _VERDICTS.values()],
        "reasons": [reason for _, reason in _VERDICTS.values()],
    }
