"""Merging cases: a file has the last word on its cases; an empty cell leaves what stands."""

from psycopg.sql import SQL, Identifier

from customers.ingest import journal
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, run


def merge_cases(circumstances: Circumstances) -> Tally:
    """Make and change the gathered cases; their customers are there already."""
    params = circumstances.params()
    updated = number(_UPDATE, **params)
    created = number(_CREATE, **params)
    run("ANALYZE customers_case")
    return Tally(named=number("SELECT count(*) FROM import_cases"), created=created, updated=updated)


# Each step that a case has come to is told once, however often it is told by a file.
_STEPS = """
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT customer_id, step.kind, step.at, %(at)s, 'import', 'case:' || id,
        jsonb_build_object('case', id, 'subject', subject, 'priority', priority) || step.more,
        'case:' || id || ':' || step.word
    FROM {rows} CROSS JOIN LATERAL (VALUES
        ('case.opened', opened_at, '{{}}'::jsonb, 'opened'),
        ('case.answered', answered_at, '{{}}', 'answered'),
        ('case.resolved', resolved_at, '{{}}', 'resolved:' || extract(epoch FROM resolved_at)::bigint),
        ('case.rated', rated_at, jsonb_build_object('rating', rating), 'rated:' || rating)
    ) AS step (kind, at, more, word)
    WHERE step.at IS NOT NULL
    ON CONFLICT DO NOTHING
"""

# What a case becomes, from what the file tells and what stands.
_WANTED = """
    SELECT customer.id AS customer_id, told.subject,
        coalesce(told.priority, stands.priority, 'normal') AS priority, told.opened_at,
        coalesce(told.answered_at, stands.answered_at) AS answered_at,
        coalesce(told.resolved_at, stands.resolved_at) AS resolved_at,
        CASE WHEN coalesce(told.resolved_at, stands.resolved_at) IS NOT NULL THEN 'resolved'
            WHEN coalesce(told.answered_at, stands.answered_at) IS NOT NULL THEN 'answered' ELSE 'open' END AS state,
        coalesce(told.rating, stands.rating) AS rating,
        CASE WHEN coalesce(told.rating, stands.rating) IS NOT NULL THEN coalesce(told.rated_at, stands.rated_at,
            told.resolved_at, stands.resolved_at, told.answered_at, told.opened_at) END AS rated_at,
        coalesce(told.assignee_id, stands.assignee_id) AS assignee_id
"""
_NAMES = (
    "customer_id", "subject", "priority", "opened_at", "answered_at", "resolved_at", "state", "rating", "rated_at",
    "assignee_id",
)  # fmt: skip
_COLUMNS = SQL(", ").join(map(Identifier, _NAMES))

_UPDATE = SQL("""
    WITH told AS (
        SELECT stands.id, stands AS was, wanted.* FROM import_cases AS told
        JOIN customers_customer AS customer ON customer.external_id = told.customer_id
        JOIN customers_case AS stands ON stands.external_id = told.case_id CROSS JOIN LATERAL ({wanted}) AS wanted
        WHERE ({of_stands}) IS DISTINCT FROM ({of_wanted}) ORDER BY stands.id FOR NO KEY UPDATE OF stands
    ), changed AS (
        UPDATE customers_case AS stands SET ({columns}, updated_at) = ROW ({of_told}, %(at)s)
        FROM told WHERE stands.id = told.id
        RETURNING stands.*
    ), marked AS (INSERT INTO customers_dirty (customer_id) SELECT customer_id FROM changed
    ), recorded AS ({steps}), kept AS ({kept})
    SELECT count(*) FROM changed
""").format(
    kept=journal.changed("customers_case", held="told"),
    wanted=SQL(_WANTED),
    columns=_COLUMNS,
    of_wanted=SQL(", ").join(Identifier("wanted", name) for name in _NAMES),
    of_told=SQL(", ").join(Identifier("told", name) for name in _NAMES),
    of_stands=SQL(", ").join(Identifier("stands", name) for name in _NAMES),
    steps=SQL(_STEPS).format(rows=SQL("changed")),
)

_CREATE = SQL("""
    WITH told AS (
        SELECT told.case_id, told.source, wanted.* FROM import_cases AS told
        JOIN customers_customer AS customer ON customer.external_id = told.customer_id
        LEFT JOIN customers_case AS stands ON stands.external_id = told.case_id CROSS JOIN LATERAL ({wanted}) AS wanted
        WHERE stands.id IS NULL
    ), created AS (
        INSERT INTO customers_case (external_id, {columns}, source, updated_at)
        SELECT case_id, {columns}, coalesce(source, %(source)s), %(at)s FROM told
        ORDER BY opened_at, case_id
        ON CONFLICT (external_id) DO NOTHING
        RETURNING *
    ), recorded AS ({steps}), kept AS ({kept})
    SELECT count(*) FROM created
""").format(
    wanted=SQL(_WANTED),
    columns=_COLUMNS,
    steps=SQL(_STEPS).format(rows=SQL("created")),
    kept=journal.made("customers_case"),
)
