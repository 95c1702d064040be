"""All segments at once for some customers: one statement, whatever the number of segments and of customers there are.

Each customer's facts are read once and judged by every rule; what belongs to them is found by its index. So the work
follows the customers that changed, not those there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

from customers.segments import compiling
from customers.segments.operators import Moment, Sql, join, listed
from customers.segments.rules import AllOf, Rule

#: Rules in one statement: a column each, and every one is planned.
AT_ONCE = 100


def refresh(rules: Mapping[int, Rule], customer_ids: Sequence[int], moment: Moment) -> None:
    """Make these customers members of the segments, given by id, whose rules they meet, and of no others.

    The segments' rows are held. Their sizes follow, and events tell who entered and who left.
    """
    ids = sorted(rules)
    with connection.cursor() as cursor, _by_index():
        for start in range(0, len(ids), AT_ONCE):
            some = {segment_id: rules[segment_id] for segment_id in ids[start : start + AT_ONCE]}
            cursor.execute(*statement(some, customer_ids, moment))


@contextmanager
def _by_index() -> Iterator[None]:
    """Within the block no table is read through for the sake of a few customers, however the planner reckons.

    Nor is a statement of many small parts compiled, which takes longer than to run it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('enable_seqscan'), current_setting('jit'),"
            " set_config('enable_seqscan', 'off', TRUE), set_config('jit', 'off', TRUE)"
        )
        seqscan, jit, *_ = cursor.fetchone()
        yield
        cursor.execute("SELECT set_config('enable_seqscan', %s, TRUE), set_config('jit', %s, TRUE)", [seqscan, jit])


def statement(rules: Mapping[int, Rule], customer_ids: Sequence[int], moment: Moment) -> tuple[str, tuple[Any, ...]]:
    """The statement with its parameters."""
    among = listed(customer_ids)
    tests = [compiling.judged(rule, moment, among) for rule in rules.values()]
    met = join((Sql(f"({test.text}) IS TRUE AS m{at}", test.params) for at, test in enumerate(tests)), ", ")
    each = ", ".join(f"(%s::bigint, met.m{at})" for at in range(len(tests)))
    text = (
        _TOGETHER.replace("{met}", met.text)
        .replace("{tables}", compiling.tables(AllOf(tuple(rules.values()))))
        .replace("{each}", each)
    )
    now = moment.now
    return text, (*met.params, among, *rules, among, list(rules), now, now, now, now)


_TOGETHER = """
    WITH met AS MATERIALIZED (SELECT f.customer_id, {met} FROM {tables} WHERE f.customer_id = ANY(%s::bigint[])),
    wanted AS (SELECT each.segment_id, met.customer_id
               FROM met CROSS JOIN LATERAL (VALUES {each}) AS each(segment_id, holds) WHERE each.holds),
    -- A customer's stays are few, so they are found by customer, and not by each pair.
    present AS (SELECT id, segment_id, customer_id FROM customers_segmentmembership
                WHERE customer_id = ANY(%s::bigint[]) AND left_at IS NULL AND segment_id + 0 = ANY(%s)),
    difference AS (SELECT present.id AS membership, COALESCE(wanted.segment_id, present.segment_id) AS segment_id,
                          wanted.customer_id
                   FROM wanted FULL JOIN present
                   ON present.segment_id = wanted.segment_id AND present.customer_id = wanted.customer_id
                   WHERE wanted.customer_id IS NULL OR present.customer_id IS NULL),
    gone AS (UPDATE customers_segmentmembership m SET left_at = GREATEST(%s, m.entered_at)
             FROM difference WHERE m.id = difference.membership RETURNING m.id, m.segment_id, m.customer_id),
    come AS (INSERT INTO customers_segmentmembership (segment_id, customer_id, entered_at)
             SELECT segment_id, customer_id, %s FROM difference WHERE membership IS NULL
             ORDER BY segment_id, customer_id RETURNING id, segment_id, customer_id),
    moves AS (SELECT 'segment.entered' AS kind, 1 AS step, id, segment_id, customer_id FROM come
              UNION ALL SELECT 'segment.left', -1, id, segment_id, customer_id FROM gone),
    logged AS (INSERT INTO customers_event
                   (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
               SELECT customer_id, kind, %s, %s, 'segments', 'segment:' || segment_id,
                      jsonb_build_object('segment', segment_id, 'membership', id), 'membership:' || id
               FROM moves ORDER BY customer_id, segment_id
               ON CONFLICT DO NOTHING)
    UPDATE customers_segment s SET size = s.size + moved.by
    FROM (SELECT segment_id, sum(step) AS by FROM moves GROUP BY segment_id) moved
    WHERE s.id = moved.segment_id AND moved.by <> 0
"""
