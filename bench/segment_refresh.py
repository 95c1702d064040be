"""Refreshing a segment against bare SQL with the same effect, written by hand.

A hundred thousand customers, or as many as BENCH_CUSTOMERS says: each with up to eight orders in the last 400 days,
one in ten never bought. The segment: two or more orders, none for 60 days.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from bench.harness import Race
from customers.facts import folding
from customers.models import Customer, Segment
from customers.segments import membership
from customers.segments.ready_made import READY_MADE
from retention.common import clock

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "100000"))
BATCH = 5_000
DIRTY = 1_000
NOW = datetime.now(UTC)

_CUSTOMERS = """
    INSERT INTO customers_customer (external_id, kind, name, email, phone, country, language, time_zone, source, tags,
                                    attributes, created_at, updated_at)
    SELECT 'c' || n, 'person', 'Customer ' || n, 'c' || n || '@example.test', '', 'Germany', 'de', '', 'bench', '{}',
           '{}', %(now)s, %(now)s
    FROM generate_series(1, %(customers)s) n
"""
_ORDERS = """
    INSERT INTO customers_order (external_id, customer_id, ordered_at, state, amount, refunded, currency, source,
                                 created_at)
    SELECT 'o' || c.id || '-' || k, c.id,
           %(now)s - (hashint8(c.id * 31 + k) & 2147483647) %% 34560000 * interval '1 second',
           'completed', 10 + c.id %% 90, 0, 'EUR', 'bench', %(now)s
    FROM customers_customer c, generate_series(1, c.id %% 10 - 1) k
"""
# What a refresh must do, for everybody or for some, by hand.
_BARE = """
    WITH wanted AS (
        SELECT customer_id FROM customers_customerfacts
        WHERE orders >= 2 AND last_order_at < %(now)s - interval '60 days' {among}),
    present AS (
        SELECT id, customer_id FROM customers_segmentmembership WHERE segment_id = 1 AND left_at IS NULL {among}),
    difference AS (
        SELECT present.id, wanted.customer_id FROM wanted FULL JOIN present USING (customer_id)
        WHERE wanted.customer_id IS NULL OR present.id IS NULL),
    gone AS (
        UPDATE customers_segmentmembership m SET left_at = %(now)s FROM difference WHERE m.id = difference.id
        RETURNING m.id, m.customer_id),
    come AS (
        INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at)
        SELECT 1, customer_id, %(now)s FROM difference WHERE id IS NULL ORDER BY customer_id
        RETURNING id, customer_id)
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT customer_id, 'segment.entered', %(now)s, %(now)s, '', 'segment:1',
           jsonb_build_object('segment', 1, 'membership', id), 'membership:' || id FROM come
    UNION ALL
    SELECT customer_id, 'segment.left', %(now)s, %(now)s, '', 'segment:1',
           jsonb_build_object('segment', 1, 'membership', id), 'membership:' || id FROM gone
"""


def races() -> Iterator[Race]:
    """Everybody for the first time; with one in a hundred moved; ten times a thousand changed customers."""
    populate()
    _lapsing()
    yield Race(
        f"segment, first full pass over {CUSTOMERS:,}",
        "the same effect in bare SQL",
        ours=lambda: membership.refresh([1]),
        floor=lambda: _bare(None),
        goal=1.3,
        units=CUSTOMERS,
        prepare=_nobody,
        prepare_floor=_nobody,
    )
    _nobody()
    membership.refresh([1])
    run("CREATE TABLE bench_members AS SELECT * FROM customers_segmentmembership")
    _move_one_in_a_hundred()
    yield Race(
        "segment, full pass, 1 % of the customers moved",
        "the same effect in bare SQL",
        ours=lambda: membership.refresh([1]),
        floor=lambda: _bare(None),
        goal=1.3,
        units=CUSTOMERS,
        prepare=_as_before,
        prepare_floor=_as_before,
    )
    batches = dirty_batches()
    yield Race(
        f"segment, {len(batches)} batches of {DIRTY:,} changed customers of {CUSTOMERS:,}",
        "the same effect in bare SQL",
        ours=lambda: _each(batches, lambda batch: membership.refresh([1], batch)),
        floor=lambda: _each(batches, _bare),
        goal=1.5,
        units=len(batches) * DIRTY,
        prepare=_as_before,
        prepare_floor=_as_before,
    )
    run("DROP TABLE bench_members")


def _each(batches: list[list[int]], work: Callable[[list[int]], None]) -> None:
    for batch in batches:
        work(batch)


def dirty_batches() -> list[list[int]]:
    """Ten times customers from all over."""
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    return [ids[start :: max(1, CUSTOMERS // DIRTY)][:DIRTY] for start in range(10)]


def run(statement: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)


def populate() -> None:
    """The customers and their orders, folded."""
    run(_CUSTOMERS, now=NOW, customers=CUSTOMERS)
    run(_ORDERS, now=NOW)
    run("ANALYZE")
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        folding.fold(ids[start : start + BATCH])


def _lapsing() -> None:
    Segment.objects.create(pk=1, name="Lapsing", rule=READY_MADE["lapsing"].rule)
    run("VACUUM ANALYZE")


def _nobody() -> None:
    run("TRUNCATE customers_segmentmembership, customers_event")
    Segment.objects.update(size=0, computed_at=None)


def _as_before() -> None:
    """The members of before the move."""
    _nobody()
    run("INSERT INTO customers_segmentmembership SELECT * FROM bench_members")
    run("ANALYZE customers_segmentmembership")


def _move_one_in_a_hundred() -> None:
    """Half of them ordered just now, half last ordered long ago."""
    lately = clock.now() - timedelta(days=1)
    for rest, at in ((7, lately), (107, NOW - timedelta(days=200))):
        run(
            "UPDATE customers_customerfacts SET last_order_at = %(at)s, orders = GREATEST(orders, 2)"
            " WHERE customer_id %% 200 = %(rest)s",
            at=at,
            rest=rest,
        )
    run("VACUUM ANALYZE customers_customerfacts")


def _bare(customer_ids: list[int] | None) -> None:
    among = "" if customer_ids is None else "AND customer_id = ANY(%(ids)s)"
    with transaction.atomic():
        run(_BARE.replace("{among}", among), now=clock.now(), ids=customer_ids)
