"""Writing: rows by COPY, and the events that follow from them by one statement per kind of row."""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Model


def copy(model: type[Model], columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Append rows to a model's table; `columns` as the table names them."""
    with connection.cursor() as cursor, cursor.copy(_copy_into(model._meta.db_table, columns)) as stream:
        for row in rows:
            stream.write_row(row)


def _copy_into(table: str, columns: tuple[str, ...]) -> str:
    return f"COPY {table} ({', '.join(columns)}) FROM STDIN"


def run(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def look_at(*models: type[Model]) -> None:
    """Let the planner know how full these tables have become; it plans for empty ones otherwise."""
    run(f"ANALYZE {', '.join(model._meta.db_table for model in models)}")


def tell(events: str, **values: Any) -> None:
    """Record the events that a SELECT below gives. They count as routed: the fold that follows sees them."""
    run(f"{_EVENTS} {events}", **values)


_EVENTS = """
    INSERT INTO customers_event
        (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key, routed_at)
"""
# The form in which each kind of row is told as events, as the import and the pages tell them.
KNOWN = """
    SELECT id, 'customer.created', joined_at, joined_at, 'demo', 'customer:' || id, '{}', 'created', joined_at
      FROM customers_customer
"""
ORDERED = """
    SELECT customer_id, CASE state WHEN 'cancelled' THEN 'order.cancelled' ELSE 'order.placed' END, ordered_at,
           ordered_at, 'demo', 'order:' || id,
           jsonb_build_object('amount', round(amount, 2)::text, 'currency', currency, 'external_id', external_id),
           'order:' || external_id, ordered_at
      FROM customers_order WHERE external_id = ANY(%(keys)s)
"""
SUBSCRIBED = """
    SELECT term.customer_id, told.kind, told.at, told.at, 'demo', 'subscription:' || contract.id,
           jsonb_strip_nulls(jsonb_build_object(
               'subscription', contract.id, 'plan', plan, 'amount', amount::text, 'currency', currency,
               'quantity', quantity, 'interval', "interval", 'interval_count', interval_count,
               'said', told.said, 'until', told.until, 'reason', nullif(cancel_reason, ''))),
           told.key, told.at
      FROM (SELECT *, lag(quantity) OVER earlier AS quantity_before, lag(discount) OVER earlier AS discount_before,
                   lead(id) OVER earlier IS NULL AS is_last, max(valid_to) OVER (PARTITION BY subscription_id) AS over
              FROM customers_subscriptionterm WINDOW earlier AS (PARTITION BY subscription_id ORDER BY valid_from)
           ) term
      JOIN customers_subscription contract ON contract.id = term.subscription_id
     CROSS JOIN LATERAL (
        SELECT 'subscription.started' AS kind, valid_from AS at, 'started:' || contract.id AS key,
               NULL AS said, NULL AS until WHERE quantity_before IS NULL
        UNION ALL
        SELECT 'subscription.changed', valid_from, 'changed:' || term.id,
               CASE WHEN quantity <> quantity_before THEN format('quantity from %%s to %%s', quantity_before, quantity)
                    ELSE format('discount from %%s %%%% to %%s %%%%', trim_scale(discount_before), trim_scale(discount))
               END, NULL
         WHERE quantity_before IS NOT NULL
        UNION ALL
        SELECT 'subscription.renewed', valid_from + years * interval '365 days',
               'renewed:' || contract.id || ':' || years, NULL, NULL
          FROM generate_series(1, 2) AS years
         WHERE quantity_before IS NULL AND "interval" = 'year' AND valid_from + years * interval '365 days'
               < CASE WHEN cancelled_at IS NULL THEN renews_at ELSE over END
        UNION ALL
        SELECT 'subscription.cancelled', cancelled_at, 'cancelled:' || contract.id, NULL,
               to_char(valid_to, 'FMDD Mon YYYY') WHERE is_last AND valid_to IS NOT NULL
        UNION ALL
        SELECT 'subscription.ended', valid_to, 'ended:' || contract.id, NULL, NULL
         WHERE is_last AND valid_to IS NOT NULL
     ) told
"""
HELPED = """
    SELECT customer_id, told.kind, told.at, told.at, 'demo', 'case:' || id,
           jsonb_strip_nulls(jsonb_build_object('case', id, 'subject', subject, 'priority', priority,
               'rating', CASE WHEN told.kind = 'case.rated' THEN rating END)),
           'case:' || id || ':' || told.kind, told.at
      FROM customers_case CROSS JOIN LATERAL (
        VALUES ('case.opened', opened_at), ('case.answered', answered_at), ('case.resolved', resolved_at),
               ('case.rated', rated_at)) AS told (kind, at)
     WHERE told.at IS NOT NULL
"""
AGREED = """
    SELECT customer_id, 'consent.' || state, changed_at, changed_at, source, 'consent:' || id,
           jsonb_build_object('channel', channel), 'consent:' || id, changed_at
      FROM customers_consent
"""
ASKED = """
    SELECT customer_id, 'survey.invited', created_at, created_at, 'survey', 'survey:' || survey_id,
           jsonb_build_object('survey', survey_id, 'invitation', id), 'invitation:' || id, created_at
      FROM surveys_invitation
    UNION ALL
    SELECT customer_id, 'message.sent', created_at, created_at, 'demo', origin,
           jsonb_build_object('name', %(name)s::text), origin, created_at
      FROM surveys_invitation
    UNION ALL
    SELECT customer_id, 'message.bounced', created_at, created_at, 'demo', origin,
           jsonb_build_object('name', %(name)s::text), origin, created_at
      FROM surveys_invitation WHERE origin = ANY(%(bounced)s)
"""
ANSWERED = """
    SELECT customer_id, 'survey.answered', answered_at, answered_at, 'survey', 'survey:' || survey_id,
           jsonb_build_object('score', score, 'survey', survey_id, 'answer', id), 'answer:' || id, answered_at
      FROM surveys_answer
"""
WORKED = """
    SELECT customer_id, 'task.opened', created_at, created_at, 'work', 'task:' || id,
           jsonb_build_object('task', id, 'title', title, 'state', 'open'), 'task:' || id || ':opened', created_at
      FROM customers_task
    UNION ALL
    SELECT customer_id, 'task.closed', closed_at, closed_at, 'work', 'task:' || id,
           jsonb_build_object('task', id, 'title', title, 'state', state), 'task:' || id || ':closed', closed_at
      FROM customers_task WHERE closed_at IS NOT NULL
"""
