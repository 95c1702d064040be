"""Settling: what the judged rows of a file come to, kind by kind, and which of them contradict each other.

Of rows with one id the first stands; what a kind of file tells of is gathered into a table of its own.
"""

from collections.abc import Callable

from psycopg.sql import SQL, Identifier

from customers.events.telling import MOST_SAID, SOURCE
from customers.ingest.statements import number, run
from customers.models.imports import ImportKind
from customers.work.working_days import END_OF_WORK


def settle(kind: str, zone: str, staged: int) -> None:
    """Refuse rows that contradict each other and gather what the others tell; `staged` is how many there are."""
    _SETTLE[kind](zone, staged)


def _refuse_repeated(key: str, what: str) -> None:
    """Of rows with one id the first stands; a later one may repeat it, and is refused where it says otherwise."""
    run(
        SQL(
            "WITH stands AS ("
            "  SELECT DISTINCT ON ({key}) * FROM import_rows WHERE refusal IS NULL AND {key} IN ("
            "    SELECT {key} FROM import_rows WHERE refusal IS NULL GROUP BY {key} HAVING count(*) > 1)"
            "  ORDER BY {key}, line) "
            "UPDATE import_rows SET refusal = concat({what}, import_rows.{key}, '” is already in line ', stands.line,"
            " ', which says otherwise; that line stands.') FROM stands "
            "WHERE import_rows.{key} = stands.{key} AND import_rows.refusal IS NULL AND import_rows.line > stands.line"
            " AND to_jsonb(import_rows) - 'line' <> to_jsonb(stands) - 'line'"
        ).format(key=Identifier(key), what=SQL(what))
    )


def _settle_customers(_zone: str, _staged: int) -> None:
    _refuse_repeated("customer_id", "'Customer “'")


def _settle_contacts(_zone: str, _staged: int) -> None:
    """One row for each person of a customer, and only of customers who are there."""
    run("ANALYZE import_rows")
    run(_REFUSE_UNKNOWN)
    run(
        "ALTER TABLE import_rows ADD COLUMN contact text"
        " GENERATED ALWAYS AS (lower(contact_email) || '” of customer “' || customer_id) STORED"
    )
    _refuse_repeated("contact", "'Contact “'")


_REFUSE_UNKNOWN = """
    UPDATE import_rows SET refusal = concat('Customer “', customer_id, '” is not there. Bring them in first.')
    WHERE refusal IS NULL AND NOT EXISTS
        (SELECT FROM customers_customer WHERE external_id = import_rows.customer_id)
"""


def _settle_orders(_zone: str, _staged: int) -> None:
    """One row for each order, in import_orders."""
    _refuse_repeated("order_id", "'Order “'")
    run(
        "CREATE TEMP TABLE import_orders AS"
        " SELECT DISTINCT ON (order_id) order_id, customer_id, ordered_at, state, currency, source,"
        " round(amount, 4) AS amount, round(refunded, 4) AS refunded, line AS customer_line, ordered_at AS known_at"
        " FROM import_rows WHERE refusal IS NULL ORDER BY order_id, line"
    )
    run(_CREDIT_NOTES)


# An order that comes to less than nothing is a credit note to whoever got it, and no order.
_CREDIT_NOTES = (
    "UPDATE import_orders SET state = 'cancelled'"
    " WHERE amount < 0 AND customer_id IS NOT NULL AND coalesce(state, 'completed') = 'completed'"
)


def _settle_lines(_zone: str, staged: int) -> None:
    """One row for each order, in import_orders; an order comes whole or not at all: a part would pass for the whole."""
    run(_ORDERS_OF_LINES)
    if number("SELECT coalesce(sum(lines), 0) FROM import_orders") < staged and run(_REFUSE_BROKEN):
        run("DROP TABLE import_orders")
        run(_ORDERS_OF_LINES)
    run(
        "UPDATE import_rows SET refusal = why FROM import_orders"
        " WHERE import_rows.order_id = import_orders.order_id AND why IS NOT NULL AND refusal IS NULL"
    )
    run("DELETE FROM import_orders WHERE why IS NOT NULL")
    run(_CREDIT_NOTES)


_REFUSE_BROKEN = """
    WITH broken AS (
        SELECT order_id, min(line) AS line FROM import_rows
        WHERE refusal IS NOT NULL AND order_id IS NOT NULL GROUP BY order_id)
    UPDATE import_rows SET refusal = format('Line %s of the same order was refused, and an order comes whole.',
        broken.line) FROM broken WHERE import_rows.order_id = broken.order_id AND refusal IS NULL
"""


def _settle_subscriptions(zone: str, _staged: int) -> None:
    """One row for each subscription, in import_subscriptions, with its start and end wherever the file has them."""
    _refuse_repeated("subscription_id", "'Subscription “'")
    run(_SPANS, zone=zone)
    run(
        "UPDATE import_rows SET refusal = why FROM import_subscriptions AS told"
        " WHERE import_rows.line = told.customer_line AND why IS NOT NULL"
    )
    run("DELETE FROM import_subscriptions WHERE why IS NOT NULL")


def _settle_products(_zone: str, _staged: int) -> None:
    _refuse_repeated("sku", "'Product “'")


def _settle_cases(_zone: str, _staged: int) -> None:
    """One row for each case, in import_cases."""
    _refuse_repeated("case_id", "'Case “'")
    run(
        "UPDATE import_rows SET refusal = 'It was resolved before it was opened.'"
        " WHERE refusal IS NULL AND resolved_at < opened_at"
    )
    run(
        "CREATE TEMP TABLE import_cases AS"
        " SELECT DISTINCT ON (case_id) *, opened_at AS known_at, line AS customer_line"
        " FROM import_rows WHERE refusal IS NULL ORDER BY case_id, line"
    )


def _settle_interactions(zone: str, _staged: int) -> None:
    """One row for each interaction, in import_interactions, of customers who are there."""
    run("ANALYZE import_rows")
    run(_REFUSE_UNKNOWN)
    run(
        "UPDATE import_rows SET refusal = 'There is neither a subject nor a text.'"
        " WHERE refusal IS NULL AND subject IS NULL AND text IS NULL"
    )
    _refuse_repeated("interaction_id", "'Interaction “'")
    run(_TALKS, zone=zone)


# What has no field of its own here stands in the text. A next step has a day, as where one is logged by hand.
_TALKS = """
    CREATE TEMP TABLE import_interactions AS
    SELECT DISTINCT ON (interaction_id) interaction_id, customer_id, lower(email) AS email, kind, happened_at,
        CASE WHEN starts_with(text, subject) THEN text ELSE concat_ws(E'\\n\\n', subject, text) END AS text,
        outcome, sentiment, next_step, author,
        CASE WHEN next_step IS NOT NULL THEN coalesce(next_on, (happened_at AT TIME ZONE %(zone)s)::date + 7)
            END AS next_on
    FROM import_rows WHERE refusal IS NULL ORDER BY interaction_id, line
"""


def _settle_tasks(zone: str, _staged: int) -> None:
    """One row for each task, in import_tasks, of customers who are there."""
    run("ANALYZE import_rows")
    run(_REFUSE_UNKNOWN)
    _refuse_repeated("task_id", "'Task “'")
    run(_UNTIL_WORK_ENDS, zone=zone, end=END_OF_WORK)
    run(_TASKS)


_UNTIL_WORK_ENDS = """
    UPDATE import_rows SET due_at = ((due_at AT TIME ZONE %(zone)s)::date + %(end)s::time) AT TIME ZONE %(zone)s
    WHERE refusal IS NULL AND (due_at AT TIME ZONE %(zone)s)::time = '00:00'
"""
# What is too long to be kept shows that there was more.
_TASKS = """
    CREATE TEMP TABLE import_tasks AS
    SELECT DISTINCT ON (task_id) task_id, customer_id, assignee_id, written_at, due_at,
        CASE WHEN length(title) > 200 THEN left(title, 199) || '…' ELSE title END AS title,
        CASE WHEN length(reason) > 500 THEN left(reason, 499) || '…' ELSE reason END AS reason,
        coalesce(progress, CASE WHEN closed_at IS NOT NULL THEN 'done' END) AS progress,
        CASE WHEN coalesce(progress, 'done') <> 'open' THEN closed_at END AS closed_at
    FROM import_rows WHERE refusal IS NULL ORDER BY task_id, line
"""


def _settle_events(_zone: str, _staged: int) -> None:
    """What each row tells, in import_events, of customers who are there."""
    run("ANALYZE import_rows")
    run(_REFUSE_UNKNOWN)
    run(
        "UPDATE import_rows SET refusal = 'There is neither what happened, nor that it is use of the product.'"
        " WHERE refusal IS NULL AND what IS NULL AND kind IS DISTINCT FROM 'usage'"
    )
    _refuse_repeated("event_id", "'Event “'")
    run(_EVENTS, source=SOURCE)
    run(_REFUSE_TALKATIVE, most=MOST_SAID, reason=f"It says more than {MOST_SAID:,} characters.")


_REFUSE_TALKATIVE = """
    WITH gone AS (DELETE FROM import_events WHERE length(payload::text) > %(most)s RETURNING line)
    UPDATE import_rows SET refusal = %(reason)s FROM gone WHERE import_rows.line = gone.line
"""

# Under its reference an event is one with what the other system tells by the API. Without one, what it says tells it.
_EVENTS = """
    CREATE TEMP TABLE import_events AS
    SELECT line, customer_id, kind, occurred_at, payload, CASE WHEN event_id IS NOT NULL
        THEN %(source)s::text || ':' || event_id
        ELSE 'row:' || md5(concat(extract(epoch FROM occurred_at), ' ', payload)) END COLLATE "C" AS dedup_key
    FROM (SELECT line, customer_id, coalesce(kind, 'reported') AS kind, occurred_at, event_id,
            coalesce(payload, '{}') || coalesce(attributes, '{}')
                || CASE WHEN what IS NULL THEN '{}' ELSE jsonb_build_object('name', what) END AS payload
        FROM import_rows WHERE refusal IS NULL) AS told
"""


# A subscription that "has ended" has ended with the day that the file tells of.
_SPANS = """
    CREATE TEMP TABLE import_subscriptions AS
    SELECT *, started_at AS known_at,
        CASE WHEN started_at IS NULL THEN 'There is neither a start, nor months and the day the file tells of.'
            WHEN ended AND ended_at IS NULL THEN 'It has ended, and nothing says when.'
            WHEN ended_at < started_at THEN 'It ends before it starts.'
            WHEN amount IS NULL THEN 'There is neither an amount, nor one for one of them.'
            WHEN amount < 0 THEN 'The amount is below nothing.'
            WHEN amount >= 1e10 THEN 'The amount is more than can be kept.' END AS why
    FROM (
        SELECT DISTINCT ON (subscription_id) subscription_id, customer_id, line AS customer_line, plan,
            coalesce(quantity, 1) AS quantity, currency,
            round(coalesce(amount, unit_amount * coalesce(quantity, 1)), 4) AS amount,
            coalesce("interval", 'month') AS "interval", coalesce(interval_count, 1) AS interval_count,
            coalesce(discount, 0) AS discount, renews_at, notice_days, auto_renews, cancel_reason, source, ended,
            coalesce(started_at,
                (as_of AT TIME ZONE %(zone)s - make_interval(months => months::int)) AT TIME ZONE %(zone)s
            ) AS started_at,
            coalesce(ended_at, CASE WHEN ended
                THEN (date_trunc('day', as_of AT TIME ZONE %(zone)s) + interval '1 day') AT TIME ZONE %(zone)s END
            ) AS ended_at
        FROM import_rows WHERE refusal IS NULL ORDER BY subscription_id, line) AS told
"""

# The date, the customer and the currency are those of any line that says; the state is the one that tells most.
_ORDERS_OF_LINES = """
    CREATE TEMP TABLE import_orders AS
    SELECT order_id, min(customer_id) AS customer_id, min(ordered_at) AS ordered_at,
        min(ordered_at) AS known_at,
        CASE WHEN bool_or(state = 'cancelled') THEN 'cancelled' WHEN bool_or(state = 'refunded') THEN 'refunded'
            ELSE max(state) END AS state,
        min(currency) AS currency, min(source) AS source,
        round(coalesce(max(amount), sum(coalesce(quantity, 1) * unit_price)), 4) AS amount,
        round(max(refunded), 4) AS refunded, count(*) AS lines, min(line) AS first_line, max(line) AS last_line,
        min(line) FILTER (WHERE customer_id IS NOT NULL) AS customer_line,
        CASE WHEN max(customer_id) <> min(customer_id)
                THEN format('Order “%s” names two customers, “%s” and “%s”.',
                    order_id, min(customer_id), max(customer_id))
            WHEN max(currency) <> min(currency) THEN format('Order “%s” has two currencies.', order_id)
            WHEN abs(sum(coalesce(quantity, 1) * unit_price)) >= 1e12
                THEN format('Order “%s” comes to more than can be kept.', order_id)
            WHEN count(ordered_at) = 0 THEN format('Order “%s” has no date in any of its lines.', order_id)
        END AS why
    FROM import_rows WHERE refusal IS NULL GROUP BY order_id
"""

_SETTLE: dict[str, Callable[[str, int], None]] = {
    ImportKind.CUSTOMERS: _settle_customers,
    ImportKind.ORDERS: _settle_orders,
    ImportKind.ORDER_LINES: _settle_lines,
    ImportKind.CONTACTS: _settle_contacts,
    ImportKind.SUBSCRIPTIONS: _settle_subscriptions,
    ImportKind.PRODUCTS: _settle_products,
    ImportKind.CASES: _settle_cases,
    ImportKind.INTERACTIONS: _settle_interactions,
    ImportKind.TASKS: _settle_tasks,
    ImportKind.EVENTS: _settle_events,
}
