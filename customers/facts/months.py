"""The monthly rollup: a customer's orders by calendar month of the workspace's zone, each row with its cohorts."""

#: The three conventions of `CustomerMonth`, as tests on an order.
CONVENTIONS = {"all": "TRUE", "kept": "state = 'completed'", "paid": "state = 'completed' AND net > 0"}
_COLUMNS = [f"{figure}_{name}" for figure in ("cohort", "orders", "revenue") for name in CONVENTIONS]
_COLUMNS.append("orders_foreign")


def _wanted() -> str:
    cells = ", ".join(
        f"count(*) FILTER (WHERE {test}) AS orders_{name}, "
        f"COALESCE(sum(net) FILTER (WHERE {test} AND own), 0) AS revenue_{name}"
        for name, test in CONVENTIONS.items()
    )
    cohorts = ", ".join(
        f"min(month) FILTER (WHERE orders_{name} > 0) OVER (PARTITION BY customer_id) AS cohort_{name}"
        for name in CONVENTIONS
    )
    return f"""
        SELECT *, {cohorts}
        FROM (SELECT customer_id, date_trunc('month', ordered_at AT TIME ZONE %(zone)s)::date AS month, {cells},
                     count(*) FILTER (WHERE NOT own) AS orders_foreign
              FROM (SELECT *, currency = %(currency)s AS own FROM customers_order) orders
              WHERE customer_id = ANY(%(ids)s) AND ordered_at <= %(now)s
              GROUP BY customer_id, month) cells
    """  # noqa: S608 - constants of this module


def _listed(form: str) -> str:
    return ", ".join(form.format(name) for name in _COLUMNS)


#: One statement; takes the parameters `ids`, `now`, `zone` and `currency`, whose money alone is added up.
FOLD = f"""
    WITH wanted AS MATERIALIZED ({_wanted()}),
    gone AS (
        DELETE FROM customers_customermonth WHERE id = ANY(ARRAY(
            -- A full join is never a loop within a loop, whatever the statistics say.
            SELECT m.id FROM (SELECT * FROM customers_customermonth WHERE customer_id = ANY(%(ids)s)) m
            FULL JOIN wanted w ON w.customer_id = m.customer_id AND w.month = m.month
            WHERE w.customer_id IS NULL)))
    INSERT INTO customers_customermonth AS kept (customer_id, month, {_listed("{}")})
    SELECT customer_id, month, {_listed("{}")} FROM wanted ORDER BY customer_id, month
    ON CONFLICT (customer_id, month) DO UPDATE SET {_listed("{0} = EXCLUDED.{0}")}
    WHERE ({_listed("kept.{}")}) IS DISTINCT FROM ({_listed("EXCLUDED.{}")})
"""  # noqa: S608 - constants of this module
