"""Whom a row is about: the customer it names by id, or the only one with its e-mail address, number or custom value.

Several who fit refuse the row, which is never guessed. A customer nobody fits is new, under the id that the file gives
or one of our own.
"""

from psycopg.sql import SQL, Composable, Literal

from customers.ingest.field import CUSTOM
from customers.ingest.fields import BY_ID, OF_KNOWN, WITH_ORDERS, targets
from customers.ingest.mapping import Mapping
from customers.ingest.statements import run
from customers.models.imports import ImportKind
from retention.common.phone_digits import ALIKE, OTHERS

#: What is the same of a phone number however it is typed.
_PLAIN = f"translate({{}}, '{OTHERS}', '{ALIKE}')"
PHONE = f"nullif(regexp_replace(regexp_replace({_PLAIN}, '[^0-9+]', '', 'g'), '^00', '+'), '')"


def match(mapping: Mapping) -> None:
    """Make the staged rows name the customers they are about by their id here."""
    if mapping.kind == ImportKind.PRODUCTS:
        return
    if mapping.match == BY_ID:
        return
    label = next(field.label for field in targets(mapping.kind) if field.name == mapping.match)
    said, stands = _value(mapping.match, "told"), _value(mapping.match, "stands")
    whom = _REACHED_AT if mapping.kind in OF_KNOWN and mapping.match == "email" else _CUSTOMERS
    run(SQL(_FIND).format(said=said, stands=stands, whom=SQL(whom)))
    run("ANALYZE import_matches")
    run(SQL(_REFUSE_SEVERAL).format(said=said), label=f"{label}: several customers have “")
    run(SQL(_NAME).format(said=said))
    run(SQL(_REFUSE_STRANGERS if mapping.kind in OF_KNOWN else _REFUSE_TAKEN).format(said=said), what=label)
    if mapping.kind in WITH_ORDERS:
        run(SQL("UPDATE import_rows AS told SET customer_id = NULL WHERE {} IS NULL").format(said))
    else:
        run(SQL(_REFUSE_NAMELESS).format(said=said), said=f"{label}: there is none, and it tells customers apart here.")
    run("ALTER TABLE import_rows DROP COLUMN is_known")
    run("DROP TABLE import_matches")


def _value(name: str, of: str) -> Composable:
    """What is compared: e-mail addresses whatever their case, numbers by their digits, custom values as they are."""
    if name.startswith(CUSTOM):
        return SQL("({}.attributes ->> {})").format(SQL(of), Literal(name.removeprefix(CUSTOM)))
    column = f"{of}.{name}"
    return SQL(PHONE.format(column) if name == "phone" else f"nullif(lower({column}), '')")


# For each value in the file: who has it, and where nobody has, the id that a new customer gets: that of the first row.
_FIND = """
    CREATE TEMP TABLE import_matches AS
    SELECT value, count(stands.id) AS times, min(stands.external_id) AS first, max(stands.external_id) AS last,
        coalesce(min(stands.external_id), min(named), 'own-' || left(replace(gen_random_uuid()::text, '-', ''), 12))
            AS becomes
    FROM (
        SELECT {said} AS value,
            (array_agg(customer_id ORDER BY line) FILTER (WHERE customer_id IS NOT NULL))[1] AS named
        FROM import_rows AS told WHERE refusal IS NULL AND {said} IS NOT NULL GROUP BY 1) AS said
    LEFT JOIN {whom} AS stands ON {stands} = value
    GROUP BY value
"""
_CUSTOMERS = "customers_customer"
# An address is a customer's own, or that of somebody there.
_REACHED_AT = """(
    SELECT id, external_id, lower(email) AS email FROM customers_customer
    UNION
    SELECT whole.id, whole.external_id, lower(person.email)
    FROM customers_contact AS person JOIN customers_customer AS whole ON whole.id = person.customer_id
    WHERE person.removed_at IS NULL)"""
_REFUSE_SEVERAL = """
    UPDATE import_rows AS told SET refusal = concat(%(label)s::text, {said}, '”, ', first, ' and ', last,
        CASE WHEN times > 2 THEN ' among them' END, '. Which is meant is not guessed.')
    FROM import_matches AS found WHERE {said} = found.value AND times > 1 AND refusal IS NULL
"""
_NAME = """
    ALTER TABLE import_rows ADD COLUMN is_known boolean;
    UPDATE import_rows AS told SET customer_id = becomes, is_known = times = 1
    FROM import_matches AS found WHERE {said} = found.value AND refusal IS NULL
"""
_REFUSE_NAMELESS = """
    UPDATE import_rows AS told SET refusal = %(said)s WHERE refusal IS NULL AND {said} IS NULL
"""
_REFUSE_STRANGERS = """
    UPDATE import_rows AS told SET refusal = concat(%(what)s::text, ': nobody here has “', {said}, '”.'
        ' Bring them in first.')
    WHERE NOT is_known AND refusal IS NULL
"""
_REFUSE_TAKEN = """
    UPDATE import_rows AS told
    SET refusal = concat('Customer “', customer_id, '” is there with another ', lower(%(what)s::text), '.')
    WHERE NOT is_known AND refusal IS NULL AND EXISTS
        (SELECT FROM customers_customer WHERE external_id = told.customer_id)
"""
