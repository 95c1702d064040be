"""What becomes of scores: they are kept where they differ, with their history, and drops and recoveries are events.

A drop: the score is at least `drop_points` below the highest of the last `drop_days`, or in a worse band than it (a
setting). It is looked for since `judged_since`, which is when the last drop or recovery was found, or when the
customer came to be measured in another way. So one fall is one drop, however many steps it takes, and going on
falling is another only by as much again or into a yet worse band. A recovery: half of what was lost is made good, at
least `RISE` points, and the band is again no worse than it was.

Its event has `judged_since` for a key: between two of them there can be only one drop, whatever is repeated.
"""

from functools import cache

#: Less than that is no recovery; without it, a score on the edge of two bands would fall and recover for ever.
RISE = 5


_KEPT = (
    "score", "band", "coverage", "parts", "version", "judged_since", "fell_from", "fell_to", "next_edge_at",
    "scored_at",
)  # fmt: skip


def _band(score: str) -> str:
    """2 good, 1 watch, 0 poor."""
    return f"(({score} >= %(good)s)::int + ({score} >= %(watch)s)::int)"


# The highest score since then that was in force within the last days; each holds until the next.
_PEAK = """
    SELECT score AS peak, parts AS parts_then
    FROM (SELECT score, parts, at, lead(at) OVER (ORDER BY at, id) AS until FROM customers_healthchange c
          WHERE c.customer_id = m.customer_id AND c.at >= m.old_since) past
    WHERE score IS NOT NULL
      AND (until IS NULL OR until > GREATEST(at, %(now)s - %(drop_days)s * interval '1 day'))
    ORDER BY score DESC, at DESC LIMIT 1
"""
_DROPS = f"""NOT anew AND score < COALESCE(old_score, 101) AND (
    peak - score >= %(drop_points)s
    OR %(drop_by_band)s AND {_band("score")} < {_band("peak")}
       AND (old_to IS NULL OR {_band("score")} < {_band("old_to")}))"""
_RECOVERS = f"""NOT anew AND score >= old_to + GREATEST({RISE}, ceil((old_from - old_to) / 2.0))
    AND {_band("score")} >= {_band("old_from")}"""
_JUDGED = f"""
    SELECT m.*, p.peak, COALESCE(p.parts_then, m.old_parts) AS parts_then,
           COALESCE(p.peak, m.old_score) AS score_then,
           COALESCE({_DROPS}, FALSE) AS drops, COALESCE({_RECOVERS}, FALSE) AS recovers
    FROM moved m LEFT JOIN LATERAL ({_PEAK}) p ON NOT m.anew AND m.score < COALESCE(m.old_score, 101)
"""  # noqa: S608 - constants
# Which input has most to do with it: by how many points, times its weight, it fell or rose. One without data counts
# as being where the score is.
_REASON = """
    SELECT COALESCE(%(labels)s::jsonb ->> key, key) || CASE
               WHEN now_points IS NULL THEN ' has no data any more'
               WHEN then_points IS NULL THEN ' came to be known, with ' || now_points || ' points'
               ELSE ' went from ' || then_points || ' to ' || now_points || ' points' END AS reason
    FROM (SELECT t.key, (t.value ->> 1)::int AS then_points, (j.parts -> t.key ->> 1)::int AS now_points,
                 (t.value ->> 2)::int AS weight
          FROM jsonb_each(j.parts_then) t) inputs
    CROSS JOIN LATERAL (
        SELECT (COALESCE(now_points, j.score) - COALESCE(then_points, j.score_then)) * weight
               * CASE WHEN j.drops THEN -1 ELSE 1 END AS share) moved
    WHERE share > 0 ORDER BY share DESC, key LIMIT 1
"""
_KEY = "'since:' || extract(epoch FROM j.old_since)"
_EVENTS = f"""
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT j.customer_id, CASE WHEN j.drops THEN 'health.dropped' ELSE 'health.recovered' END, %(now)s, %(now)s,
           'health', '',
           jsonb_build_object('from', CASE WHEN j.drops THEN j.peak ELSE j.old_to END, 'to', j.score, 'band', j.band,
                              'reason', COALESCE(r.reason, 'several inputs, a little each')), {_KEY}
    FROM judged j LEFT JOIN LATERAL ({_REASON}) r ON TRUE
    WHERE j.drops OR j.recovers
    ORDER BY j.customer_id
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants


@cache
def statement(scored: str) -> str:
    """One statement that keeps what `scored` says. Takes the parameters of `scoring.parameters`.

    It reads everything as it was before, so that the parts may be carried out in any order.
    """
    return f"""
        WITH scored AS MATERIALIZED ({scored}),
        moved AS MATERIALIZED (
            SELECT s.*, b.score AS old_score, b.parts AS old_parts, COALESCE(b.band, '') AS old_band,
                   b.judged_since AS old_since, COALESCE(b.version <> %(version)s, TRUE) AS anew,
                   CASE WHEN b.version = %(version)s THEN b.fell_from END AS old_from,
                   CASE WHEN b.version = %(version)s THEN b.fell_to END AS old_to
            FROM scored s LEFT JOIN customers_health b ON b.customer_id = s.customer_id
            WHERE (s.score, s.coverage, s.parts, s.next_edge_at, s.band, %(version)s)
                  IS DISTINCT FROM (b.score, b.coverage, b.parts, b.next_edge_at, b.band, b.version)),
        judged AS MATERIALIZED ({_JUDGED}),
        history AS (
            INSERT INTO customers_healthchange (customer_id, at, score, band, coverage, parts, version)
            SELECT customer_id, %(now)s, score, band, coverage, parts, %(version)s FROM judged
            WHERE (score, band) IS DISTINCT FROM (old_score, old_band) OR anew AND score IS NOT NULL
            ORDER BY customer_id),
        told AS ({_EVENTS}),
        listed AS (
            UPDATE customers_customerfacts f SET health = j.score, health_band = j.band,
                   health_dropped_at = CASE WHEN j.drops THEN %(now)s ELSE f.health_dropped_at END
            FROM judged j WHERE f.customer_id = j.customer_id
             AND (j.drops OR (f.health, f.health_band) IS DISTINCT FROM (j.score::smallint, j.band)))
        INSERT INTO customers_health AS kept (customer_id, score, band, coverage, parts, version, judged_since,
                                              fell_from, fell_to, next_edge_at, scored_at)
        SELECT customer_id, score, band, coverage, parts, %(version)s,
               CASE WHEN anew OR drops OR recovers THEN %(now)s ELSE old_since END,
               CASE WHEN drops THEN peak WHEN NOT recovers THEN old_from END,
               CASE WHEN drops THEN score WHEN NOT recovers THEN old_to END, next_edge_at, %(now)s
        FROM judged ORDER BY customer_id
        ON CONFLICT (customer_id) DO UPDATE SET ({", ".join(_KEPT)}) = ({", ".join(f"EXCLUDED.{c}" for c in _KEPT)})
    """  # noqa: S608 - constants
