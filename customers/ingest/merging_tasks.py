"""Merging tasks: a file has the last word on its own; an empty cell leaves what stands.

But for what was done about them here: what is closed is not opened again, and what somebody put off stays put off. They
were written and done when the file says, so that nothing begins on their account that is begun by what happens from
now on.
"""

from psycopg.sql import SQL, Identifier

from customers.ingest import journal
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, run


def merge_tasks(circumstances: Circumstances) -> Tally:
    """Make and change the gathered tasks; their customers are there already."""
    params = circumstances.params()
    updated = number(_UPDATE, **params)
    created = number(_CREATE, **params)
    run("ANALYZE customers_task")
    return Tally(named=number("SELECT count(*) FROM import_tasks"), created=created, updated=updated)


# What a task becomes, from what the file tells and what stands.
_WANTED = """
    FROM import_tasks AS told
    JOIN customers_customer AS customer ON customer.external_id = told.customer_id
    {known} customers_task AS stands ON stands.external_id = told.task_id AND stands.external_id <> ''
    CROSS JOIN LATERAL (SELECT CASE WHEN stands.closed_at IS NULL THEN coalesce(told.progress, 'open')
        ELSE stands.state END AS state) AS progress
    CROSS JOIN LATERAL (SELECT customer.id AS customer_id, told.title,
        coalesce(told.reason, stands.reason, '') AS reason, progress.state,
        CASE WHEN progress.state <> 'open' THEN coalesce(stands.closed_at, told.closed_at,
            least(coalesce(told.due_at, stands.due_at), %(at)s)) END AS closed_at,
        coalesce(CASE WHEN stands.put_off_until IS NULL THEN told.due_at END, stands.due_at, told.closed_at,
            %(at)s::timestamptz + interval '7 days') AS due_at,
        coalesce(told.assignee_id, stands.assignee_id) AS assignee_id
    ) AS wanted
"""
_NAMES = ("customer_id", "title", "reason", "state", "closed_at", "due_at", "assignee_id")
_COLUMNS = SQL(", ").join(map(Identifier, _NAMES))
_TELL = """
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT customer_id, step.kind, step.at, %(at)s, 'import', 'task:' || id,
        jsonb_build_object('task', id, 'title', title, 'state', step.state), 'task:' || id || ':' || step.state
    FROM {rows} CROSS JOIN LATERAL (VALUES
        ('task.opened', created_at, 'open'), ('task.closed', closed_at, state)) AS step (kind, at, state)
    WHERE step.at IS NOT NULL {and_so} ON CONFLICT DO NOTHING
"""

# Whoever loses one to another customer is looked at anew, too.
_UPDATE = SQL("""
    WITH told AS (
        SELECT stands.id, stands AS was, stands.customer_id AS customer_before, stands.closed_at AS closed_before,
            wanted.* {wanted}
        WHERE ({of_stands}) IS DISTINCT FROM ({of_wanted})
        ORDER BY stands.id FOR NO KEY UPDATE OF stands
    ), changed AS (
        UPDATE customers_task AS stands SET ({columns}, updated_at) = ROW ({of_told}, %(at)s)
        FROM told WHERE stands.id = told.id
        RETURNING stands.*
    ), marked AS (
        INSERT INTO customers_dirty (customer_id)
        SELECT customer_before FROM told UNION SELECT customer_id FROM told
    ), recorded AS ({tell}), kept AS ({kept})
    SELECT count(*) FROM changed
""").format(
    wanted=SQL(_WANTED).format(known=SQL("JOIN")),
    columns=_COLUMNS,
    of_stands=SQL(", ").join(Identifier("stands", name) for name in _NAMES),
    of_wanted=SQL(", ").join(Identifier("wanted", name) for name in _NAMES),
    of_told=SQL(", ").join(Identifier("told", name) for name in _NAMES),
    tell=SQL(_TELL).format(
        rows=SQL("changed"),
        and_so=SQL("AND step.kind = 'task.closed' AND id IN (SELECT id FROM told WHERE closed_before IS NULL)"),
    ),
    kept=journal.changed("customers_task", held="told"),
)

_CREATE = SQL("""
    WITH created AS (
        INSERT INTO customers_task ({columns}, external_id, origin, created_at, updated_at)
        SELECT {of_wanted}, told.task_id, '', least(coalesce(told.written_at, %(at)s), wanted.closed_at), %(at)s
        {wanted} WHERE stands.id IS NULL ORDER BY wanted.due_at, told.task_id
        ON CONFLICT (external_id) WHERE external_id <> '' DO NOTHING
        RETURNING *
    ), recorded AS ({tell}), kept AS ({kept})
    SELECT count(*) FROM created
""").format(
    wanted=SQL(_WANTED).format(known=SQL("LEFT JOIN")),
    columns=_COLUMNS,
    of_wanted=SQL(", ").join(Identifier("wanted", name) for name in _NAMES),
    tell=SQL(_TELL).format(rows=SQL("created"), and_so=SQL("")),
    kept=journal.made("customers_task"),
)
