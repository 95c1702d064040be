"""Merging events: what a file tells of customers is recorded as what other systems tell by the API, each once.

The router takes it up from there: facts, stages and segments follow. What is there already stays as it is.
"""

from psycopg.sql import SQL

from customers.ingest import journal
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, parents_held, run


def merge_events(circumstances: Circumstances) -> Tally:
    """Record the gathered events that are new; their customers are there already."""
    run("ANALYZE import_events")
    run(_HOLD)
    with parents_held():
        created = number(_CREATE, **circumstances.params())
    return Tally(named=number(_NAMED), created=created, updated=0)


# In the order in which everybody holds customers: none of them goes, or is taken into another, before this is over.
_HOLD = """
    SELECT FROM customers_customer AS customer
    WHERE external_id IN (SELECT customer_id FROM import_events) ORDER BY id FOR KEY SHARE
"""
# Those of a month lie together, as the index by time wants it, and of these a customer's, which the others take in half
# the time.
_CREATE = SQL("""
    WITH created AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT customer.id, told.kind, least(told.occurred_at, %(at)s), %(at)s, 'import', '', told.payload,
            told.dedup_key
        FROM import_events AS told JOIN customers_customer AS customer ON customer.external_id = told.customer_id
        WHERE NOT EXISTS (SELECT FROM customers_event AS stands WHERE stands.customer_id = customer.id
            AND stands.kind = told.kind AND stands.dedup_key = told.dedup_key)
        ORDER BY date_trunc('month', told.occurred_at), customer.id, told.occurred_at, told.line
        ON CONFLICT DO NOTHING
        RETURNING id
    ), kept AS ({kept})
    SELECT count(*) FROM created
""").format(kept=journal.made("customers_event"))
_NAMED = "SELECT count(*) FROM (SELECT FROM import_events GROUP BY customer_id, kind, dedup_key) AS told"
