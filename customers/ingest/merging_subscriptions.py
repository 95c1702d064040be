"""Merging subscriptions: a row says what stands on one now, since when, and until when.

A new one becomes a subscription with one term. Of a known one, other conditions end its present term and begin another
as the file comes in; those of a term that began in the future, or has ended, are corrected. An empty end leaves what
stands, and a start is corrected as long as there is one term.
"""

from psycopg.sql import SQL

from customers.ingest import journal
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, run


def merge_subscriptions(circumstances: Circumstances) -> Tally:
    """Make and change the gathered subscriptions; their customers are there already."""
    params = circumstances.params()
    run(_HOLD, **params)
    run(_COMPARE, **params)
    run(journal.updating(_CORRECT, _TERMS), **params)
    run(journal.updating(_END_TERMS, _TERMS), **params)
    run(journal.inserting(_BEGIN_TERMS, _TERMS), **params)
    run(_UPDATE, **params)
    run(_TELL_CHANGED, **params)
    created = number(_CREATE, **params)
    run("ANALYZE customers_subscription, customers_subscriptionterm")
    changed = number("SELECT count(*) FROM import_changes")
    return Tally(named=number("SELECT count(*) FROM import_subscriptions"), created=created, updated=changed)


_TERMS = "customers_subscriptionterm"
_CONDITIONS = SQL('plan, quantity, amount, currency, "interval", interval_count, discount')

# The known subscriptions of which the file says otherwise, with their last term and what is to become of it.
_OTHERWISE = SQL("""
    SELECT * FROM (
        SELECT stands.id, customer.id AS customer_id, term.id AS term_id, term.valid_from,
            told.plan, told.quantity, told.amount, coalesce(told.currency, %(currency)s) AS currency,
            told."interval", told.interval_count, told.discount, told.cancel_reason,
            (term.plan, term.quantity, term.amount, term.currency, term."interval", term.interval_count, term.discount)
            IS DISTINCT FROM (told.plan, told.quantity, told.amount, coalesce(told.currency, %(currency)s),
                told."interval", told.interval_count, told.discount) AS is_other,
            term.valid_from > %(at)s OR coalesce(term.valid_to <= %(at)s, FALSE) AS is_apart,
            (SELECT count(*) FROM customers_subscriptionterm t WHERE t.subscription_id = stands.id) = 1
            AND term.valid_from <> told.started_at AS starts_elsewhen, told.started_at,
            term.valid_to AS stood_to,
            CASE WHEN until IS NOT NULL THEN greatest(until, term.valid_from) END AS valid_to,
            CASE WHEN coalesce(told.ended_at, stands.cancelled_at) IS NULL
                THEN coalesce(told.renews_at, stands.renews_at) END AS renews_at,
            coalesce(told.notice_days, stands.notice_days) AS notice_days,
            coalesce(told.auto_renews, stands.auto_renews) AS auto_renews,
            CASE WHEN told.ended_at IS NOT NULL
                THEN coalesce(stands.cancelled_at, least(told.ended_at, %(at)s)) ELSE stands.cancelled_at
            END AS cancelled_at,
            coalesce(told.cancel_reason, stands.cancel_reason) AS reason, stands.renews_at AS renewed_at,
            stands.notice_days AS notice_before, stands.auto_renews AS renews_before,
            stands.cancelled_at AS cancelled_before, stands.cancel_reason AS reason_before,
            stands.customer_id AS customer_before
        FROM import_subscriptions AS told
        JOIN customers_subscription AS stands ON stands.external_id = told.subscription_id
        JOIN customers_customer AS customer ON customer.external_id = told.customer_id
        JOIN LATERAL (SELECT * FROM customers_subscriptionterm AS term WHERE term.subscription_id = stands.id
            ORDER BY valid_from DESC LIMIT 1) AS term ON TRUE
        CROSS JOIN LATERAL (SELECT coalesce(told.ended_at, CASE
            WHEN coalesce(told.auto_renews, stands.auto_renews) THEN term.valid_to
            ELSE coalesce(told.renews_at, term.valid_to) END) AS until) AS ends
    ) AS told
    WHERE is_other OR starts_elsewhen OR stood_to IS DISTINCT FROM valid_to
        OR (renewed_at, notice_before, renews_before, cancelled_before, reason_before, customer_before)
        IS DISTINCT FROM (renews_at, notice_days, auto_renews, cancelled_at, reason, customer_id)
""")

# Compared once to lock what is to change, as whoever changes a subscription or its terms does, and then once more.
_HOLD = SQL("""
    CREATE TEMP TABLE import_held AS SELECT id FROM customers_subscription
    WHERE id IN (SELECT id FROM ({otherwise}) AS otherwise) ORDER BY id FOR NO KEY UPDATE
""").format(otherwise=_OTHERWISE)
_COMPARE = SQL("""
    CREATE TEMP TABLE import_changes AS
    SELECT * FROM ({otherwise}) AS otherwise WHERE id IN (SELECT id FROM import_held)
""").format(otherwise=_OTHERWISE)

# Where there is nothing between then and now to keep, the term itself is mended.
_CORRECT = SQL("""
    UPDATE customers_subscriptionterm AS term SET (valid_from, valid_to, {conditions}) = ROW (
        CASE WHEN told.starts_elsewhen THEN told.started_at ELSE term.valid_from END, told.valid_to,
        told.plan, told.quantity, told.amount, told.currency, told."interval", told.interval_count, told.discount)
    FROM import_changes AS told WHERE term.id = told.term_id AND (told.is_apart OR NOT told.is_other)
    RETURNING term.*
""").format(conditions=_CONDITIONS)

_END_TERMS = """
    UPDATE customers_subscriptionterm AS term SET valid_to = %(at)s
    FROM import_changes AS told WHERE term.id = told.term_id AND told.is_other AND NOT told.is_apart
    RETURNING term.*
"""
_BEGIN_TERMS = SQL("""
    INSERT INTO customers_subscriptionterm (subscription_id, customer_id, valid_from, valid_to, {conditions})
    SELECT id, customer_before, %(at)s, CASE WHEN valid_to <= %(at)s THEN %(at)s ELSE valid_to END, {conditions}
    FROM import_changes WHERE is_other AND NOT is_apart ORDER BY id
    RETURNING id
""").format(conditions=_CONDITIONS)

_UPDATE = SQL("""
    WITH changed AS (
        UPDATE customers_subscription AS stands SET customer_id = told.customer_id, renews_at = told.renews_at,
            notice_days = told.notice_days, auto_renews = told.auto_renews, cancelled_at = told.cancelled_at,
            cancel_reason = told.reason, updated_at = %(at)s,
            turns_at = CASE WHEN told.valid_to > %(at)s THEN told.valid_to
                WHEN told.valid_to IS NULL AND told.auto_renews THEN told.renews_at END
        FROM import_changes AS told WHERE stands.id = told.id
        RETURNING stands.*
    ), kept AS ({kept})
    INSERT INTO customers_dirty (customer_id)
    SELECT customer_id FROM import_changes UNION SELECT customer_before FROM import_changes
""").format(kept=journal.changed("customers_subscription"))

_PAYLOAD = SQL("""jsonb_build_object('subscription', id, 'plan', plan, 'amount', trim_scale(amount)::text,
    'currency', currency, 'quantity', quantity, 'interval', "interval", 'interval_count', interval_count)""")
_EVENT = SQL("""
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
""")
_ENDED_KEY = SQL("""'ended:' || id || ':' || to_char(valid_to AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')""")

_TELL_CHANGED = SQL("""
    {event}
    SELECT customer_id, 'subscription.changed', %(at)s, %(at)s, 'import', 'subscription:' || id,
        {payload} || '{{"said": "as a file told"}}', 'changed:' || id || ':' || %(at)s
    FROM import_changes WHERE is_other AND NOT is_apart
    UNION ALL
    SELECT customer_id, 'subscription.ended', valid_to, %(at)s, 'import', 'subscription:' || id,
        {payload} || jsonb_build_object('reason', reason), {ended}
    FROM import_changes WHERE valid_to <= %(at)s AND stood_to IS DISTINCT FROM valid_to
    ON CONFLICT DO NOTHING
""").format(event=_EVENT, payload=_PAYLOAD, ended=_ENDED_KEY)

_CREATE = SQL("""
    WITH told AS (
        SELECT told.*, customer.id AS customer_pk,
            coalesce(told.ended_at, CASE WHEN NOT coalesce(told.auto_renews, TRUE) THEN told.renews_at END) AS until
        FROM import_subscriptions AS told
        JOIN customers_customer AS customer ON customer.external_id = told.customer_id
        WHERE NOT EXISTS (SELECT FROM customers_subscription WHERE external_id = told.subscription_id)
        ORDER BY told.started_at, told.subscription_id
    ), created AS (
        INSERT INTO customers_subscription (external_id, customer_id, renews_at, notice_days, auto_renews,
            cancelled_at, cancel_reason, turns_at, source, updated_at)
        SELECT subscription_id, customer_pk, CASE WHEN ended_at IS NULL THEN renews_at END,
            coalesce(notice_days, 0), coalesce(auto_renews, TRUE),
            CASE WHEN ended_at IS NOT NULL THEN least(ended_at, %(at)s) END,
            coalesce(cancel_reason, ''), CASE WHEN started_at > %(at)s THEN started_at WHEN until > %(at)s THEN until
                WHEN until IS NULL THEN renews_at END,
            coalesce(source, %(source)s), %(at)s
        FROM told ORDER BY started_at, subscription_id
        ON CONFLICT (external_id) DO NOTHING
        RETURNING id, external_id
    ), terms AS (
        INSERT INTO customers_subscriptionterm (subscription_id, customer_id, valid_from, valid_to, {conditions})
        SELECT created.id, customer_pk, started_at, CASE WHEN until > started_at THEN until
                WHEN until IS NOT NULL THEN started_at END, plan, quantity, amount,
            coalesce(currency, %(currency)s), "interval", interval_count, discount
        FROM told JOIN created ON created.external_id = told.subscription_id ORDER BY created.id
        RETURNING id AS term, subscription_id AS id, customer_id, valid_from, valid_to, {conditions}
    ), begun AS (SELECT term AS id FROM terms
    ), kept_terms AS ({made_terms}), kept AS ({made}), recorded AS (
        {event}
        SELECT customer_id, 'subscription.started', valid_from, %(at)s, 'import', 'subscription:' || id, {payload},
            'started:' || id
        FROM terms WHERE valid_from <= %(at)s
        UNION ALL
        SELECT customer_id, 'subscription.ended', valid_to, %(at)s, 'import', 'subscription:' || id, {payload}, {ended}
        FROM terms WHERE valid_to <= %(at)s
    ), marked AS (INSERT INTO customers_dirty (customer_id) SELECT customer_id FROM terms WHERE valid_from > %(at)s)
    SELECT count(*) FROM terms
""").format(
    conditions=_CONDITIONS,
    event=_EVENT,
    payload=_PAYLOAD,
    ended=_ENDED_KEY,
    made=journal.made("customers_subscription"),
    made_terms=journal.made(_TERMS, "begun"),
)
