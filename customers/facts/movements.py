"""The rollup of MRR movements: by how much each customer's MRR changed on which day, and what that change is.

METRICS, Recurring revenue: per customer and day, all subscriptions together. Amounts in different currencies are never
added up: each currency has movements of its own, so that no exchange rate is in them. A term that begins at midnight
belongs to the day that begins then. What begins or ends later than now has not happened yet; the fold of the facts
counts these instants among its edges.
"""

#: One statement; takes the parameters `ids`, `now` and `zone`.
FOLD = """
    WITH changes AS (
        SELECT customer_id, currency, (at AT TIME ZONE %(zone)s)::date AS day, sum(delta) AS delta
        FROM (SELECT customer_id, currency, valid_from AS at, mrr AS delta
              FROM customers_subscriptionterm WHERE customer_id = ANY(%(ids)s) AND valid_from <= %(now)s
              UNION ALL
              SELECT customer_id, currency, valid_to, -mrr
              FROM customers_subscriptionterm WHERE customer_id = ANY(%(ids)s) AND valid_to <= %(now)s) ends
        GROUP BY customer_id, currency, day
        HAVING sum(delta) <> 0),
    running AS (
        SELECT *, sum(delta) OVER past AS after, row_number() OVER past AS place
        FROM changes
        WINDOW past AS (PARTITION BY customer_id, currency ORDER BY day)),
    wanted AS MATERIALIZED (
        SELECT customer_id, currency, day, after - delta AS before, after,
               CASE WHEN after = 0 THEN 'churn'
                    WHEN after - delta > 0 THEN CASE WHEN delta > 0 THEN 'expansion' ELSE 'contraction' END
                    WHEN place = 1 THEN 'new'
                    ELSE 'reactivation' END AS kind
        FROM running),
    gone AS (
        DELETE FROM customers_mrrmovement WHERE id = ANY(ARRAY(
            -- A full join, as with the months.
            SELECT m.id FROM (SELECT * FROM customers_mrrmovement WHERE customer_id = ANY(%(ids)s)) m
            FULL JOIN wanted w ON (w.customer_id, w.currency, w.day) = (m.customer_id, m.currency, m.day)
            WHERE w.customer_id IS NULL)))
    INSERT INTO customers_mrrmovement AS kept (customer_id, currency, day, kind, before, after)
    SELECT customer_id, currency, day, kind, before, after FROM wanted ORDER BY customer_id, currency, day
    ON CONFLICT (customer_id, currency, day) DO UPDATE
    SET kind = EXCLUDED.kind, before = EXCLUDED.before, after = EXCLUDED.after
    WHERE (kept.kind, kept.before, kept.after) IS DISTINCT FROM (EXCLUDED.kind, EXCLUDED.before, EXCLUDED.after)
"""
