"""Merging contacts: staged rows become the people of customers, told apart by their e-mail address.

Rows that say nothing new write nothing, and an empty cell leaves what is there. A file brings back nobody who was
removed here, and turns no opt-out back into a consent; one with another number lets what was agreed for the old one
lapse.
"""

from typing import Any

from psycopg.sql import SQL

from customers.ingest import journal
from customers.ingest.matching import PHONE
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, run


def merge_contacts(circumstances: Circumstances) -> dict[str, Any]:
    """Make and change the contacts that staged rows name; returns their part of the summary."""
    params = circumstances.params()
    named = run(_GATHER)
    run(_FORGET_KNOWN)
    run("ANALYZE import_people")
    # As whoever changes a contact or a consent does: the customer's row comes first.
    run("SELECT FROM customers_customer WHERE id IN (SELECT customer FROM import_people) ORDER BY id FOR NO KEY UPDATE")
    run(journal.updating(_FREE_MAIN, "customers_contact"), **params)
    updated = number(journal.updating(_UPDATE, "customers_contact"), **params)
    run(_LAPSE, **params)
    created = number(_CREATE, **params)
    consents = number(_CONSENTS, **params)
    # A change of somebody is no event, and yet segments ask about people. Rows that say nothing new are gone by now.
    run("INSERT INTO customers_dirty (customer_id) SELECT DISTINCT customer FROM import_people ORDER BY customer")
    tally = Tally(named=named, created=created, updated=updated)
    return {"contacts": tally.to_json(), "consents": consents}


# Of several rows that name a customer's main contact the first counts.
_GATHER = """
    CREATE TEMP TABLE import_people AS
    SELECT DISTINCT ON (customer.id, lower(told.contact_email)) told.*, customer.id AS customer,
        told.main AND told.line = min(told.line) FILTER (WHERE told.main) OVER (PARTITION BY customer.id) AS leads
    FROM import_rows AS told JOIN customers_customer AS customer ON customer.external_id = told.customer_id
    WHERE told.refusal IS NULL ORDER BY customer.id, lower(told.contact_email), told.line
"""

# The main contacts so far, who give way to those that the file names.
_FREE_MAIN = """
    UPDATE customers_contact AS stands SET is_main = FALSE, updated_at = %(at)s FROM import_people AS told
    WHERE told.leads AND stands.customer_id = told.customer AND stands.is_main AND stands.removed_at IS NULL
        AND lower(stands.email) <> lower(told.contact_email)
        AND NOT EXISTS (SELECT FROM customers_contact AS gone WHERE gone.customer_id = told.customer
            AND lower(gone.email) = lower(told.contact_email) AND gone.removed_at IS NOT NULL)
    RETURNING stands.*
"""

# What a contact becomes, from what the file tells and what stands.
_STANDS = """(stands.name, stands.role, stands.phone, stands.language, stands.time_zone, stands.birthday,
    stands.is_main, stands.attributes)"""
_WANTED = """(coalesce(told.contact_name, stands.name), coalesce(told.role, stands.role),
    coalesce(told.phone, stands.phone), coalesce(told.language, stands.language),
    coalesce(told.time_zone, stands.time_zone), coalesce(told.birthday, stands.birthday),
    CASE WHEN told.leads THEN TRUE WHEN told.main IS FALSE THEN FALSE ELSE stands.is_main END,
    jsonb_strip_nulls(stands.attributes || coalesce(told.attributes, '{}')))"""
_ONE = "stands.customer_id = told.customer AND lower(stands.email) = lower(told.contact_email)"

# Rows that say nothing new go first, so that nothing is locked for them.
_FORGET_KNOWN = f"""
    DELETE FROM import_people AS told
    USING customers_contact AS stands LEFT JOIN customers_contactconsent AS said
        ON said.contact_id = stands.id AND said.channel = 'email'
    WHERE {_ONE} AND (stands.removed_at IS NOT NULL OR {_STANDS} IS NOT DISTINCT FROM {_WANTED})
        AND (told.consent IS NULL OR said.state = 'withdrawn' OR coalesce(said.state = told.consent, FALSE)
            OR (stands.removed_at IS NOT NULL AND told.consent = 'granted'))
"""  # noqa: S608 - constants of this module

_UPDATE = f"""
    UPDATE customers_contact AS stands SET
        (name, role, phone, language, time_zone, birthday, is_main, attributes, updated_at) =
        ROW ({_WANTED.strip()[1:-1]}, %(at)s)
    FROM import_people AS told
    WHERE {_ONE} AND stands.removed_at IS NULL AND {_STANDS} IS DISTINCT FROM {_WANTED}
    RETURNING stands.*
"""  # noqa: S608 - constants of this module

# As in customers/contacts/consent.py. No file gives anybody another address, by which they are told apart.
_LAPSE = SQL("""
    WITH moved AS (
        SELECT first AS id FROM customers_importchange
        CROSS JOIN LATERAL (VALUES ({was}, {becomes})) AS reached (was, becomes)
        WHERE run_id = %(run)s AND at = %(at)s AND "table" = 'customers_contact' AND was <> ''
            AND was IS DISTINCT FROM becomes
    ), removed AS (
        DELETE FROM customers_contactconsent AS stands USING moved
        WHERE stands.contact_id = moved.id AND stands.channel IN ('phone', 'sms') AND stands.state = 'granted'
        RETURNING stands.*
    ), recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT customer_id, 'contact.lapsed', %(at)s, %(at)s, 'import', 'contact:' || whose.id,
            jsonb_build_object('contact', whose.id, 'name', coalesce(nullif(whose.name, ''), whose.email),
                               'channel', channel, 'told', removed.source, 'proof', proof,
                               'by', CASE channel WHEN 'sms' THEN 'text messages' ELSE 'phone calls' END),
            gen_random_uuid()
        FROM removed JOIN customers_contact AS whose ON whose.id = removed.contact_id
    ), told AS ({removed})
    SELECT count(*) FROM removed
""").format(
    was=SQL(PHONE.format("before ->> 'phone'")),
    becomes=SQL(PHONE.format("after ->> 'phone'")),
    removed=journal.removed("customers_contactconsent"),
)

_CREATE = SQL("""
    WITH created AS (
        INSERT INTO customers_contact (customer_id, name, role, email, phone, language, time_zone, birthday, is_main,
            source, attributes, created_at, updated_at)
        SELECT customer, coalesce(contact_name, ''), coalesce(role, ''), contact_email, coalesce(phone, ''),
            coalesce(language, ''), coalesce(time_zone, ''), birthday, coalesce(leads, FALSE), %(source)s,
            jsonb_strip_nulls(coalesce(attributes, '{{}}')), %(at)s, %(at)s
        FROM import_people AS told
        WHERE NOT EXISTS (SELECT FROM customers_contact AS stands
            WHERE stands.customer_id = told.customer AND lower(stands.email) = lower(told.contact_email))
        ORDER BY customer, line
        RETURNING id, customer_id, name, email
    ), recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT customer_id, 'contact.added', %(at)s, %(at)s, 'import', 'contact:' || id,
            jsonb_build_object('contact', id, 'name', coalesce(nullif(name, ''), email)), 'contact:' || id
        FROM created
    ), kept AS ({kept})
    SELECT count(*) FROM created
""").format(kept=journal.made("customers_contact"))

_CONSENTS = SQL("""
    WITH said AS (
        SELECT stands.id, stands.customer_id, coalesce(nullif(stands.name, ''), stands.email) AS name, told.consent,
            coalesce(told.consent_source, %(source)s) AS source
        FROM import_people AS told JOIN customers_contact AS stands
            ON stands.customer_id = told.customer AND lower(stands.email) = lower(told.contact_email)
        WHERE told.consent IS NOT NULL AND (stands.removed_at IS NULL OR told.consent = 'withdrawn')
    ), written AS (
        INSERT INTO customers_contactconsent AS stands (contact_id, channel, state, source, proof, changed_at)
        SELECT id, 'email', consent, source, %(proof)s, %(at)s FROM said ORDER BY id
        ON CONFLICT (contact_id, channel) DO UPDATE
        SET state = excluded.state, source = excluded.source, proof = excluded.proof, changed_at = excluded.changed_at
        WHERE stands.state = 'granted' AND excluded.state = 'withdrawn'
        RETURNING *
    ), recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT said.customer_id, CASE state WHEN 'granted' THEN 'contact.agreed' ELSE 'contact.withdrew' END,
            %(at)s, %(at)s, left(said.source, 60), 'contact:' || said.id,
            jsonb_build_object('contact', said.id, 'name', said.name, 'channel', 'email', 'by', 'e-mail',
                               'told', said.source, 'proof', proof),
            gen_random_uuid()
        FROM written JOIN said ON said.id = written.contact_id
    ), changes AS ({changed}
    ), created AS (SELECT id FROM written WHERE NOT EXISTS (SELECT FROM customers_contactconsent WHERE id = written.id)
    ), kept AS ({made})
    SELECT count(*) FROM written
""").format(
    changed=journal.changed("customers_contactconsent", "written"), made=journal.made("customers_contactconsent")
)
