"""Deciding by hand who is in a segment: what a person put in is in, what a person keeps out is out, whatever the rule.

Every decision is part of a change that says who made it, when and why; a change can be undone. The segment is held
meanwhile, so that a refresh sees all of a change or nothing of it, and its members are right when the change is done.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from customers.models import HandChange, HandPick, Segment
from customers.segments import consequences, membership
from customers.segments.consequences import Consequence
from retention.common import clock
from retention.workspace.models import User

#: From so many customers on, looking at everybody is no dearer than looking at these.
MANY = 50_000


class NothingToUndo(Exception):
    """The change was undone already."""


def decide(change: HandChange, customer_ids: Sequence[int]) -> HandChange:
    """Put these customers in, keep them out, or leave them to the rule, as a change not yet stored says.

    Whoever has the same decision already keeps the one they have. The change then says how many it changed.
    """
    with transaction.atomic():
        affected = membership.hold(change.segment_id)
        change.save()
        touched = _decide(change, customer_ids)
        change.customers = len(touched)
        change.save(update_fields=["customers"])
        _settle(change.segment_id, affected, touched)
    return change


@transaction.atomic
def foresee(change: HandChange, customer_ids: Sequence[int]) -> list[Consequence]:
    """What would follow from such a change now; nothing stays of the try.

    The segment is held until the request is over, so that nothing else follows from deciding then.
    """
    affected = membership.hold(change.segment_id)
    with transaction.atomic():
        trial = HandChange(segment_id=change.segment_id, act=change.act, by=change.by)
        trial.save()
        found = []
        if _decide(trial, customer_ids):
            _count(change.segment_id)
            found = consequences.of(affected)
        transaction.set_rollback(True)
    return found


def _decide(change: HandChange, customer_ids: Sequence[int]) -> list[int]:
    named = {"change": change.pk, "segment": change.segment_id, "ids": list(customer_ids), "verdict": change.act}
    if change.act == HandChange.Act.RULE:
        return _run(_LEAVE, named)
    _run(_END_OTHER, named)
    return _run(_DECIDE, named)


def undo(change: HandChange, by: User) -> int:
    """Take a change back where its decisions still hold; what it ended holds again. How many customers it moved.

    What was decided about a customer since then stays. Raises NothingToUndo.
    """
    with transaction.atomic():
        affected = membership.hold(change.segment_id)
        if not HandChange.objects.filter(pk=change.pk, undone_at=None).update(undone_at=clock.now(), undone_by=by):
            raise NothingToUndo
        ended = _run(_END_OWN, {"change": change.pk})
        touched = sorted({*ended, *_run(_REOPEN, {"change": change.pk})})
        _settle(change.segment_id, affected, touched)
    return len(touched)


def _settle(segment_id: int, affected: Sequence[int], touched: Sequence[int]) -> None:
    """Count what is decided by hand now, and bring the members up to it."""
    _count(segment_id)
    if touched:
        membership.refresh(affected, touched if len(touched) < MANY else None)


def _count(segment_id: int) -> None:
    number = HandPick.objects.filter(segment=segment_id, ended_by=None).count()
    Segment.objects.filter(pk=segment_id).update(by_hand=number)


def _run(statement: str, params: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [customer_id for (customer_id,) in cursor.fetchall()]


_LEAVE = """
    UPDATE customers_handpick SET ended_by_id = %(change)s
    WHERE segment_id = %(segment)s AND ended_by_id IS NULL AND customer_id = ANY(%(ids)s)
    RETURNING customer_id
"""
_END_OTHER = """
    UPDATE customers_handpick SET ended_by_id = %(change)s
    WHERE segment_id = %(segment)s AND ended_by_id IS NULL AND customer_id = ANY(%(ids)s) AND verdict <> %(verdict)s
    RETURNING customer_id
"""
_DECIDE = """
    INSERT INTO customers_handpick (change_id, segment_id, customer_id, verdict)
    SELECT %(change)s, %(segment)s, id, %(verdict)s FROM customers_customer WHERE id = ANY(%(ids)s) ORDER BY id
    ON CONFLICT (segment_id, customer_id) WHERE ended_by_id IS NULL DO NOTHING
    RETURNING customer_id
"""
_END_OWN = """
    UPDATE customers_handpick SET ended_by_id = change_id WHERE change_id = %(change)s AND ended_by_id IS NULL
    RETURNING customer_id
"""
# A decision of a change that is undone itself stays ended, and so does one that a later change has taken the place of.
_REOPEN = """
    UPDATE customers_handpick p SET ended_by_id = NULL
    FROM customers_handchange own
    WHERE p.ended_by_id = %(change)s AND p.change_id <> %(change)s
      AND own.id = p.change_id AND own.undone_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM customers_handpick other WHERE other.segment_id = p.segment_id
                      AND other.customer_id = p.customer_id AND other.ended_by_id IS NULL)
    RETURNING p.customer_id
"""
