"""Membership: who is in a segment, since when, and who was in it on a day.

A refresh holds the segment's row while it compares who should be in with who is, in one statement, and writes down
who entered and who left; of some customers, for all segments at once (`together`). So two workers never write the same
difference twice, and the later one starts from what the earlier one committed. The clock is read after the lock: no
refresh is followed by one of an earlier instant.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max, Q, QuerySet

from customers.models import Customer, Playbook, Product, Segment, SegmentMembership, ValueScale
from customers.segments import compiling, references, together, value
from customers.segments.operators import Moment, Sql
from customers.segments.rules import Rule, RuleRefused, comparisons, every_condition
from retention.common import clock
from retention.workspace.models import Workspace

log = logging.getLogger(__name__)


def refresh(segment_ids: Sequence[int] | None = None, customer_ids: Sequence[int] | None = None) -> None:
    """Bring memberships up to now: of these segments, else all; for these customers, else everybody.

    A segment whose rule is no longer understood keeps its members, and its page says what is wrong.
    """
    zone = Workspace.current().zone
    if customer_ids is not None:
        _refresh_some(segment_ids, zone, customer_ids)
        return
    value.take_if_due(Moment(clock.now(), zone))
    for segment_id in _ids(segment_ids):
        with transaction.atomic(savepoint=False):
            segment = _hold(segment_id)
            if segment is not None:
                _refresh_everybody(segment, zone)


def hold(segment_id: int) -> list[int]:
    """Hold the segment and those that refer to it, in the order of ids, in which everybody takes them; gives them."""
    referring = references.referring_to(segment_id, references.stored_rules())
    held = Segment.objects.select_for_update(no_key=True).filter(pk__in=[segment_id, *referring])
    return [segment.pk for segment in held.order_by("pk")]


def refresh_crossings() -> None:
    """Let time alone take customers in and out: look again at those for whom an edge has passed since the last time.

    A segment that was never computed gets its full pass, and so does one that asks by value when the
    scale was taken anew, or by category when a product was changed.
    """
    zone = Workspace.current().zone
    value.take_if_due(Moment(clock.now(), zone))
    changed = foundations()
    for segment_id in _ids(None):
        with transaction.atomic(savepoint=False):
            segment = _hold(segment_id)
            if segment is not None:
                _refresh_crossings(segment, zone, changed)


def stays_at(segment: Segment, instant: datetime) -> QuerySet[SegmentMembership]:
    """The stays of whoever was in the segment at an instant."""
    open_then = Q(left_at__isnull=True) | Q(left_at__gt=instant)
    return SegmentMembership.objects.filter(open_then, segment=segment, entered_at__lte=instant)


def members_at(segment: Segment, instant: datetime) -> QuerySet[Customer]:
    """Who was in the segment at an instant."""
    return Customer.objects.filter(pk__in=stays_at(segment, instant).values("customer"))


def _ids(segment_ids: Sequence[int] | None) -> list[int]:
    """In the order of ids, in which everybody who holds several rows takes them."""
    chosen = Segment.objects.all() if segment_ids is None else Segment.objects.filter(pk__in=segment_ids)
    return list(chosen.order_by("pk").values_list("pk", flat=True))


def _hold(segment_id: int) -> Segment | None:
    return Segment.objects.select_for_update(no_key=True).filter(pk=segment_id).first()


def _read(segment: Segment) -> Rule | None:
    """Who should be in, with the segments it refers to as they are now that the segment is held."""
    try:
        return references.whole(segment)
    except RuleRefused as reason:
        log.warning("segment's rule refused", extra={"segment": segment.pk, "reason": str(reason)})
        return None


def _refresh_some(segment_ids: Sequence[int] | None, zone: tzinfo, customer_ids: Sequence[int]) -> None:
    """All at once, in one transaction, which holds every one of these segments."""
    with transaction.atomic(savepoint=False):
        chosen = Segment.objects.select_for_update(no_key=True)
        if segment_ids is not None:
            chosen = chosen.filter(pk__in=segment_ids)
        read = {segment.pk: _read(segment) for segment in chosen.order_by("pk")}
        rules = {segment_id: rule for segment_id, rule in read.items() if rule is not None}
        if rules:
            together.refresh(rules, customer_ids, Moment(clock.now(), zone))


def _refresh_everybody(segment: Segment, zone: tzinfo) -> None:
    rule = _read(segment)
    if rule is None:
        return
    moment = Moment(clock.now(), zone)
    entered, left = _apply(segment, compiling.members(rule, moment), moment.now)
    changes: dict[str, Any] = {"size": F("size") + entered - left, "computed_at": moment.now}
    Segment.objects.filter(pk=segment.pk).update(**changes)


def _refresh_crossings(segment: Segment, zone: tzinfo, changed: Mapping[str, datetime]) -> None:
    rule = _read(segment) if segment.computed_at else None
    if segment.computed_at is None or rule is None or _on_new_ground(rule, segment.computed_at, changed):
        _refresh_everybody(segment, zone)
        return
    moment = Moment(clock.now(), zone)
    scan = compiling.crossing(rule, segment.computed_at, moment)
    if scan is not None and (crossed := _customers(scan)):
        together.refresh({segment.pk: rule}, crossed, moment)
    Segment.objects.filter(pk=segment.pk).update(computed_at=moment.now)


def foundations() -> dict[str, datetime]:
    """What rules can stand on beside a customer's own facts and rows, and when each last changed."""
    changed = {
        "value scale": ValueScale.objects.values_list("taken_at", flat=True).first(),
        "products": Product.objects.aggregate(last=Max("updated_at"))["last"],
        "playbooks": Playbook.objects.aggregate(last=Max("updated_at"))["last"],
    }
    return {name: at for name, at in changed.items() if at is not None}


def _on_new_ground(rule: Rule, computed_at: datetime, changed: Mapping[str, datetime]) -> bool:
    """Whether something that a rule stands on has changed since everybody was looked at."""
    return any(computed_at <= changed[name] for name in stands_on(rule) if name in changed)


def stands_on(rule: Rule) -> set[str]:
    """What of `foundations` a rule asks about."""
    found = set()
    for part in every_condition(rule):
        found |= {one.column.rests_on for one in comparisons(part)}
    return found - {""}


def _customers(query: Sql) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        return [customer_id for (customer_id,) in cursor.fetchall()]


def _apply(segment: Segment, wanted: Sql, now: datetime) -> tuple[int, int]:
    """Make the members those of `wanted`; how many entered and how many left."""
    with connection.cursor() as cursor:
        cursor.execute(*statement(segment, wanted, now))
        entered, left = cursor.fetchone()
    return entered, left


def statement(segment: Segment, wanted: Sql, now: datetime) -> tuple[str, tuple[Any, ...]]:
    """The one statement of a full pass, with its parameters; it answers how many entered and how many left."""
    text = _DIFFERENCE.replace("{wanted}", wanted.text)
    stamp = (segment.pk, now)
    return text, (*wanted.params, segment.pk, now, *stamp, *_logged(segment, now))


def _logged(segment: Segment, now: datetime) -> tuple[Any, ...]:
    return now, now, f"segment:{segment.pk}", segment.pk


_DIFFERENCE = """
    WITH wanted AS ({wanted}),
    present AS (SELECT id, customer_id FROM customers_segmentmembership
                WHERE segment_id = %s AND left_at IS NULL),
    difference AS (SELECT present.id AS membership, wanted.customer_id
                   FROM wanted FULL JOIN present ON present.customer_id = wanted.customer_id
                   WHERE wanted.customer_id IS NULL OR present.customer_id IS NULL),
    gone AS (UPDATE customers_segmentmembership m SET left_at = GREATEST(%s, m.entered_at)
             FROM difference WHERE m.id = difference.membership RETURNING m.id, m.customer_id),
    come AS (INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at)
             SELECT %s, customer_id, %s FROM difference WHERE membership IS NULL ORDER BY customer_id
             RETURNING id, customer_id),
    moves AS (SELECT 'segment.entered' AS kind, id, customer_id FROM come
              UNION ALL SELECT 'segment.left', id, customer_id FROM gone),
    logged AS (INSERT INTO customers_event
                   (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
               SELECT customer_id, kind, %s, %s, 'segments', %s,
                      jsonb_build_object('segment', %s, 'membership', id), 'membership:' || id
               FROM moves ORDER BY customer_id
               ON CONFLICT DO NOTHING)
    SELECT (SELECT count(*) FROM come), (SELECT count(*) FROM gone)
"""
