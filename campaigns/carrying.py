"""How this room's rows go along when two customers are made one (customers/duplicates/moving.py).

Whoever they are now gets no message of a step that either of the two had, or has on the way, from the other; and
nothing of a campaign that holds one of the two out as control.
"""

from collections.abc import Sequence

from django.db import connection

from campaigns.models import Campaign, ContactSlot, Enrolment, Message, Recipient, Refusal
from customers.duplicates.moving import WORDS, CannotMerge, Pair, carrier, change, settler
from retention.common import clock

WORDS.update({"campaigns.Message": "messages", "campaigns.Enrolment": "ways through campaigns"})
OF_LOSER, MOVED = "t.customer_id = %(loser)s", {"customer_id": "%(survivor)s"}
SENDING = "A campaign's e-mail to one of the two is being sent at this very moment. Try again in a minute."


@carrier(
    "campaigns.Message.customer",
    "campaigns.Enrolment.customer",
    "campaigns.Refusal.customer",
    "campaigns.ContactSlot.customer",
    "campaigns.Recipient.customer",
)
def carry_campaigns(pair: Pair) -> None:
    """Raises CannotMerge while a message that both might get is on the wire."""
    if _exists(_ON_THE_WIRE, pair):
        raise CannotMerge(SENDING)
    _run(_BACK_TO_THE_QUEUE, pair)
    stopped = {"state": "'cancelled'", "reason": "%(why)s", "settled_at": "%(at)s"}
    change(pair, Message, stopped, _TWICE, why="They were merged with a customer who had it, or was held out.")
    ended = {"left_at": "%(at)s", "left_because": "'merged'"}
    change(pair, Enrolment, ended, f"{OF_LOSER} AND t.left_at IS NULL AND {_BOTH_OPEN}")
    addresses = [address.lower() for address in pair.addresses.values()]
    change(pair, Recipient, MOVED, f"{OF_LOSER} AND {_WRITTEN_TO}", addresses=addresses)
    for model in (Enrolment, Refusal, Message):
        change(pair, model, MOVED, OF_LOSER)
    change(pair, ContactSlot, {**MOVED, "number": _NEXT_NUMBER}, OF_LOSER)


@settler
def stop_what_is_finished(customer_ids: Sequence[int]) -> None:
    """A message that an undone merge has put back into the queue of a finished campaign waits for nothing."""
    waiting = Message.objects.filter(customer__in=customer_ids, state=Message.State.PENDING)
    waiting.filter(step__campaign__state=Campaign.State.FINISHED).update(
        state=Message.State.CANCELLED, reason="The campaign was finished.", settled_at=clock.now()
    )


def _exists(condition: str, pair: Pair) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({condition})", pair.params())
        return bool(cursor.fetchone()[0])


def _run(statement: str, pair: Pair) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, pair.params())


# The customers' rows are held: no other message of theirs departs before the merge is done.
_ON_THE_WIRE = """
    SELECT FROM campaigns_message one JOIN campaigns_message other USING (step_id)
    WHERE one.customer_id = %(loser)s AND other.customer_id = %(survivor)s
      AND (one.state = 'sending' OR other.state = 'sending')
"""
_BACK_TO_THE_QUEUE = """
    UPDATE campaigns_message SET state = 'pending', token = NULL, lease_until = NULL
    WHERE customer_id IN (%(loser)s, %(survivor)s) AND state = 'claimed'
"""
_TWICE = """
    t.customer_id IN (%(loser)s, %(survivor)s) AND t.state = 'pending' AND (
        EXISTS (SELECT FROM campaigns_message other
                WHERE other.step_id = t.step_id AND other.customer_id IN (%(loser)s, %(survivor)s)
                  AND other.customer_id <> t.customer_id
                  AND (other.state IN ('sent', 'unknown')
                       OR (other.state = 'pending' AND t.customer_id = %(loser)s)))
        OR EXISTS (SELECT FROM campaigns_enrolment held JOIN campaigns_emailstep step USING (campaign_id)
                   WHERE step.id = t.step_id AND held.arm = 'control'
                     AND held.customer_id IN (%(loser)s, %(survivor)s) AND held.customer_id <> t.customer_id))
"""
# Found by their steps and addresses: there is no index by customer.
_WRITTEN_TO = """(t.step_id, t.address) IN (
    SELECT DISTINCT own.step_id, whereto FROM campaigns_message own,
           UNNEST(ARRAY[LOWER(own.address)] || %(addresses)s::text[]) AS whereto
    WHERE own.customer_id = %(loser)s)"""
_BOTH_OPEN = """EXISTS (SELECT FROM campaigns_enrolment own WHERE own.customer_id = %(survivor)s
                        AND own.campaign_id = t.campaign_id AND own.left_at IS NULL)"""
_NEXT_NUMBER = """t.number + coalesce((SELECT max(own.number) FROM campaigns_contactslot own
    WHERE own.customer_id = %(survivor)s AND own.channel = t.channel AND own.day = t.day), 0)"""
