"""Folding: from records and events to one row of facts per customer, one per month, and one per change of MRR.

Everything is worked out anew from what is stored about the customers asked for, in one statement for the facts, one
for the months and one for the movements, and a row is written only where it differs. Nothing is added up step by step,
so that repeating a fold, or folding after a correction of the past, is always right.

What has not happened yet (a later `occurred_at`) does not count; the instant it will is an edge. Windows are
half-open to the left, `(now - 30 days, now]`: something leaves a window at the very instant it is that old.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from customers.events.kinds import USAGE
from customers.facts import months, movements, stages
from customers.facts.those import each
from retention.common import clock
from retention.workspace.models import Workspace

#: Any number that no other advisory lock of the product uses.
_TURN = 7_310_284_771


def take_turn() -> None:
    """Let one transaction at a time fold.

    A fold reads orders and events by its own snapshot. Were two at work on one customer, the one that saw less could
    write last, and what only the other saw would stay uncounted. Statements begun after the lock see everything that
    earlier turns committed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])


def fold(customer_ids: Sequence[int]) -> datetime:
    """Bring facts, months and movements of these customers up to the present instant, which is returned."""
    with transaction.atomic(savepoint=False):
        take_turn()
        now, workspace = clock.now(), Workspace.current()
        params: dict[str, Any] = {
            "ids": sorted(set(customer_ids)),
            "now": now,
            "zone": workspace.time_zone,
            "currency": workspace.currency,
            "window": timedelta(days=workspace.activity_window),
            "break": stages.SUBSCRIPTION_BREAK,
            "usage": list(USAGE),
        }
        with connection.cursor() as cursor:
            cursor.execute(_FOLD_FACTS, params)
            cursor.execute(months.FOLD, params)
            cursor.execute(movements.FOLD, params)
    return now


# One family of facts per query: its own columns, and the next instant at which time alone changes one of them.

# Money in other currencies is not added up with the workspace's own: such an order counts, its amount does not.
_ORDERS = """
    SELECT customer_id,
           min(ordered_at) FILTER (WHERE past) AS first_order_at,
           max(ordered_at) FILTER (WHERE past) AS last_order_at,
           count(*) FILTER (WHERE past) AS orders,
           sum(net) FILTER (WHERE past AND own) AS revenue,
           count(*) FILTER (WHERE past AND NOT own) AS orders_foreign,
           count(*) FILTER (WHERE recent) AS orders_365d,
           sum(net) FILTER (WHERE recent AND own) AS revenue_365d,
           (max(day) FILTER (WHERE past) - min(day) FILTER (WHERE past))::float8
               / NULLIF(count(DISTINCT day) FILTER (WHERE past) - 1, 0) AS order_gap_days,
           max(ordered_at) FILTER (WHERE past AND ordered_at - previous_at >= %(window)s) AS reordered_at,
           LEAST(min(ordered_at) FILTER (WHERE recent) + interval '365 days',
                 min(ordered_at) FILTER (WHERE NOT past)) AS edge_at
    FROM (SELECT customer_id, ordered_at, net, currency = %(currency)s AS own,
                 (ordered_at AT TIME ZONE %(zone)s)::date AS day,
                 ordered_at <= %(now)s AS past,
                 ordered_at <= %(now)s AND ordered_at > %(now)s - interval '365 days' AS recent,
                 lag(ordered_at) OVER (PARTITION BY customer_id ORDER BY ordered_at, id) AS previous_at
          FROM customers_order
          WHERE customer_id = ANY(%(ids)s) AND state = 'completed') o
    GROUP BY customer_id
"""

_USAGE = """
    SELECT customer_id,
           count(*) FILTER (WHERE age_30 AND past) AS usage_30d,
           count(*) FILTER (WHERE NOT age_30) AS usage_prior_30d,
           LEAST(min(occurred_at) FILTER (WHERE age_30 AND past) + interval '30 days',
                 min(occurred_at) FILTER (WHERE NOT age_30) + interval '60 days',
                 min(occurred_at) FILTER (WHERE NOT past)) AS edge_at
    FROM (SELECT customer_id, occurred_at,
                 occurred_at > %(now)s - interval '30 days' AS age_30,
                 occurred_at <= %(now)s AS past
          FROM customers_event
          WHERE customer_id = ANY(%(ids)s) AND kind = ANY(%(usage)s)
            AND occurred_at > %(now)s - interval '60 days') e
    GROUP BY customer_id
"""

# Read off the timeline's index, newest first, and no further than the first.
_LAST_USAGE = """
    SELECT e.occurred_at FROM customers_event e
    WHERE e.customer_id = who.id AND e.kind = ANY(%(usage)s) AND e.occurred_at <= %(now)s
    ORDER BY e.occurred_at DESC LIMIT 1
"""

# A subscription is in force while one of its terms is; amounts in other currencies are no part of the MRR.
_SUBSCRIPTIONS = """
    SELECT customer_id,
           sum(mrr) FILTER (WHERE in_force AND currency = %(currency)s) AS mrr,
           min(valid_from) FILTER (WHERE valid_from <= %(now)s) AS subscribed_at,
           min(renews_at) FILTER (WHERE in_force AND renews_at > %(now)s) AS renews_at,
           CASE WHEN NOT bool_or(in_force) THEN max(valid_to) FILTER (WHERE valid_to <= %(now)s) END AS churned_at,
           max(valid_from) FILTER (
               WHERE valid_from <= %(now)s AND valid_from >= covered_until + %(break)s) AS resubscribed_at,
           LEAST(min(renews_at) FILTER (WHERE in_force AND renews_at > %(now)s),
                 min(valid_from) FILTER (WHERE valid_from > %(now)s),
                 min(valid_to) FILTER (WHERE valid_to > %(now)s)) AS edge_at
    FROM (SELECT term.customer_id, valid_from, valid_to, renews_at, mrr, currency,
                 valid_from <= %(now)s AND COALESCE(valid_to > %(now)s, TRUE) AS in_force,
                 max(COALESCE(valid_to, 'infinity')) OVER (
                     PARTITION BY term.customer_id ORDER BY valid_from, term.id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_until
          FROM customers_subscriptionterm term
          JOIN customers_subscription subscription ON subscription.id = term.subscription_id
          WHERE term.customer_id = ANY(%(ids)s)) s
    GROUP BY customer_id
"""

# A score that is no whole number from 0 to 10 is no score; the fold of everybody else must not fail on it.
_SIGNALS = """
    SELECT customer_id,
           max(occurred_at) FILTER (WHERE past AND score IS NOT NULL) AS nps_at,
           (array_agg(score ORDER BY occurred_at DESC, id DESC) FILTER (WHERE past AND score IS NOT NULL))[1]
               AS nps_score,
           max(occurred_at) FILTER (WHERE past AND kind = 'message.sent') AS last_message_at,
           max(occurred_at) FILTER (WHERE past AND kind = 'message.clicked') AS last_click_at,
           max(occurred_at) FILTER (WHERE past AND kind = 'message.opened') AS last_open_at,
           min(occurred_at) FILTER (WHERE NOT past) AS edge_at
    FROM (SELECT id, customer_id, kind, occurred_at, occurred_at <= %(now)s AS past,
                 CASE WHEN kind = 'survey.answered' AND payload ->> 'score' ~ '^([0-9]|10)$'
                      THEN (payload ->> 'score')::smallint END AS score
          FROM customers_event
          WHERE customer_id = ANY(%(ids)s)
            AND kind IN ('survey.answered', 'message.sent', 'message.opened', 'message.clicked')
            -- what a mail scanner opens and clicks is nobody's doing
            AND NOT (kind IN ('message.opened', 'message.clicked') AND payload ? 'machine')) e
    GROUP BY customer_id
"""

_WORK = """
    SELECT customer_id, count(*) AS open_tasks FROM customers_task
    WHERE customer_id = ANY(%(ids)s) AND state = 'open' GROUP BY customer_id
"""

_CASES = """
    SELECT customer_id, count(*) FILTER (WHERE state <> 'resolved' AND opened_at <= %(now)s) AS open_cases,
           max(rated_at) FILTER (WHERE past) AS csat_at,
           (array_agg(rating ORDER BY rated_at DESC, id DESC) FILTER (WHERE past))[1] AS csat_score,
           LEAST(min(rated_at) FILTER (WHERE NOT past), min(opened_at) FILTER (WHERE opened_at > %(now)s)) AS edge_at
    FROM (SELECT *, rated_at <= %(now)s AS past FROM customers_case WHERE customer_id = ANY(%(ids)s)) c
    GROUP BY customer_id
"""

_TALKS = """
    SELECT customer_id, max(happened_at) FILTER (WHERE happened_at <= %(now)s) AS last_talk_at,
           min(happened_at) FILTER (WHERE happened_at > %(now)s) AS edge_at
    FROM customers_interaction
    WHERE customer_id = ANY(%(ids)s) AND removed_at IS NULL AND kind <> 'note' GROUP BY customer_id
"""

#: Each column of facts and where it comes from. `stage_since` and `folded_at` follow from what changes.
_COLUMNS = {
    "first_order_at": "o.first_order_at",
    "last_order_at": "o.last_order_at",
    "orders": "COALESCE(o.orders, 0)",
    "revenue": "COALESCE(o.revenue, 0)",
    "orders_foreign": "COALESCE(o.orders_foreign, 0)",
    "orders_365d": "COALESCE(o.orders_365d, 0)",
    "revenue_365d": "COALESCE(o.revenue_365d, 0)",
    "order_gap_days": "o.order_gap_days",
    "returned_at": "GREATEST(o.reordered_at, s.resubscribed_at)",
    "last_usage_at": f"({_LAST_USAGE})",
    "usage_30d": "COALESCE(u.usage_30d, 0)",
    "usage_prior_30d": "COALESCE(u.usage_prior_30d, 0)",
    "mrr": "COALESCE(s.mrr, 0)",
    "subscribed_at": "s.subscribed_at",
    "renews_at": "s.renews_at",
    "churned_at": "s.churned_at",
    "nps_score": "g.nps_score",
    "nps_at": "g.nps_at",
    "open_tasks": "COALESCE(w.open_tasks, 0)",
    "open_cases": "COALESCE(a.open_cases, 0)",
    "csat_score": "a.csat_score",
    "csat_at": "a.csat_at",
    "last_message_at": "g.last_message_at",
    "last_click_at": "g.last_click_at",
    "last_open_at": "g.last_open_at",
    "last_talk_at": "t.last_talk_at",
}
_WRITTEN = (*_COLUMNS, "stage", "next_edge_at")


def _facts() -> str:
    columns = ", ".join(f"{source} AS {name}" for name, source in _COLUMNS.items())
    return f"""
        SELECT who.id AS customer_id, {columns},
               LEAST(o.edge_at, u.edge_at, s.edge_at, g.edge_at, a.edge_at, t.edge_at) AS window_edge_at
        FROM ({each("customers_customer", "id")}) who
        LEFT JOIN ({_ORDERS}) o ON o.customer_id = who.id
        LEFT JOIN ({_USAGE}) u ON u.customer_id = who.id
        LEFT JOIN ({_SUBSCRIPTIONS}) s ON s.customer_id = who.id
        LEFT JOIN ({_SIGNALS}) g ON g.customer_id = who.id
        LEFT JOIN ({_WORK}) w ON w.customer_id = who.id
        LEFT JOIN ({_CASES}) a ON a.customer_id = who.id
        LEFT JOIN ({_TALKS}) t ON t.customer_id = who.id
    """  # noqa: S608 - constants of this module


def _listed(form: str) -> str:
    return ", ".join(form.format(name) for name in _WRITTEN)


_FOLD_FACTS = f"""
    WITH facts AS MATERIALIZED ({_facts()}),
         judged AS ({stages.judged("facts")}),
         folded AS (SELECT *, LEAST(window_edge_at, stage_edge_at) AS next_edge_at FROM judged)
    INSERT INTO customers_customerfacts AS kept (customer_id, {_listed("{}")}, stage_since, folded_at)
    SELECT customer_id, {_listed("{}")}, now, now FROM folded ORDER BY customer_id
    ON CONFLICT (customer_id) DO UPDATE SET
        {_listed("{0} = EXCLUDED.{0}")},
        stage_since = CASE WHEN kept.stage = EXCLUDED.stage THEN kept.stage_since ELSE EXCLUDED.stage_since END,
        folded_at = EXCLUDED.folded_at
    WHERE ({_listed("kept.{}")}) IS DISTINCT FROM ({_listed("EXCLUDED.{}")})
"""  # noqa: S608 - constants of this module
