"""Merging interactions: a file has the last word on its own; an empty cell leaves what stands.

They happened where the file says, so that nothing begins on their account that is begun by what happens from now on. A
next step stands as it was written: its task was the other system's.
"""

from psycopg.sql import SQL, Identifier

from customers.ingest import journal
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, run


def merge_interactions(circumstances: Circumstances) -> Tally:
    """Make and change the gathered interactions; their customers are there already."""
    params = circumstances.params()
    updated = number(_UPDATE, **params)
    created = number(_CREATE, **params)
    run("ANALYZE customers_interaction (customer_id, happened_at, external_id)")
    return Tally(named=number("SELECT count(*) FROM import_interactions"), created=created, updated=updated)


# What an interaction becomes, from what the file tells and what stands. One that a colleague removed stays so.
_WANTED = """
    FROM import_interactions AS told
    JOIN customers_customer AS customer ON customer.external_id = told.customer_id
    {known} customers_interaction AS stands ON stands.external_id = told.interaction_id AND stands.external_id <> ''
    LEFT JOIN customers_contact AS person ON person.customer_id = customer.id AND lower(person.email) = told.email
        AND person.removed_at IS NULL
    LEFT JOIN workspace_user AS colleague ON lower(colleague.email) = lower(told.author)
    CROSS JOIN LATERAL (SELECT customer.id AS customer_id, coalesce(told.kind, stands.kind, 'note') AS kind,
        told.happened_at,
        coalesce(person.id, CASE WHEN stands.customer_id = customer.id THEN stands.contact_id END) AS contact_id,
        told.text, coalesce(told.outcome, stands.outcome, '') AS outcome,
        coalesce(told.sentiment, stands.sentiment, '') AS sentiment,
        coalesce(told.next_step, stands.next_step, '') AS next_step,
        coalesce(told.next_on, stands.next_on) AS next_on,
        coalesce(colleague.id, stands.author_id) AS author_id
    ) AS wanted
"""
_NAMES = (
    "customer_id", "kind", "happened_at", "contact_id", "text", "outcome", "sentiment", "next_step", "next_on",
    "author_id",
)  # fmt: skip
_COLUMNS = SQL(", ").join(map(Identifier, _NAMES))

# Whoever loses one to another customer is looked at anew, too.
_UPDATE = SQL("""
    WITH told AS (
        SELECT stands.id, stands AS was, stands.customer_id AS customer_before, wanted.* {wanted}
        WHERE stands.removed_at IS NULL AND ({of_stands}) IS DISTINCT FROM ({of_wanted})
        ORDER BY stands.id FOR NO KEY UPDATE OF stands
    ), changed AS (
        UPDATE customers_interaction AS stands SET ({columns}, updated_at) = ROW ({of_told}, %(at)s)
        FROM told WHERE stands.id = told.id
        RETURNING stands.*
    ), marked AS (
        INSERT INTO customers_dirty (customer_id)
        SELECT customer_before FROM told UNION SELECT customer_id FROM told
    ), kept AS ({kept})
    SELECT count(*) FROM changed
""").format(
    wanted=SQL(_WANTED).format(known=SQL("JOIN")),
    columns=_COLUMNS,
    of_stands=SQL(", ").join(Identifier("stands", name) for name in _NAMES),
    of_wanted=SQL(", ").join(Identifier("wanted", name) for name in _NAMES),
    of_told=SQL(", ").join(Identifier("told", name) for name in _NAMES),
    kept=journal.changed("customers_interaction", held="told"),
)

_CREATE = SQL("""
    WITH told AS (
        SELECT told.interaction_id, wanted.*, concat(coalesce(told.author, 'Somebody'), ' (', %(source)s::text, ')')
            AS source, coalesce(nullif(trim(concat(colleague.first_name, ' ', colleague.last_name)), ''),
            colleague.email) AS author
        {wanted} WHERE stands.id IS NULL
    ), created AS (
        INSERT INTO customers_interaction ({columns}, external_id, source, created_at, updated_at)
        SELECT {columns}, interaction_id, source, %(at)s, %(at)s FROM told ORDER BY happened_at, interaction_id
        ON CONFLICT (external_id) WHERE external_id <> '' DO NOTHING
        RETURNING id, customer_id, kind, happened_at, external_id
    ), recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT created.customer_id, 'interaction.logged', created.happened_at, %(at)s, 'import',
            'interaction:' || id, jsonb_build_object('interaction', id,
                'what', CASE created.kind WHEN 'email' THEN 'e-mail' ELSE created.kind END,
                'by', coalesce(told.author, told.source)),
            'interaction:' || id
        FROM created JOIN told ON told.interaction_id = created.external_id
    ), kept AS ({kept})
    SELECT count(*) FROM created
""").format(
    wanted=SQL(_WANTED).format(known=SQL("LEFT JOIN")), columns=_COLUMNS, kept=journal.made("customers_interaction")
)
