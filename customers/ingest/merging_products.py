"""Merging products: a file has the last word on its products; an empty cell leaves what stands.

What a product upgrades to and goes with is named by codes; a code that no product has is passed over.
"""

from psycopg.sql import SQL, Composable, Identifier

from customers.ingest import journal
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, run


def merge_products(circumstances: Circumstances) -> Tally:
    """Make and change the products of the staged rows."""
    params = circumstances.params()
    run(_GATHER)
    run(_UPDATE, **params)
    created = number(_CREATE, **params)
    for statement in (*_links("upgrades_to", both_ways=False), *_links("goes_with", both_ways=True)):
        run(statement, **params)
    changed = number("SELECT count(*) FROM import_changes WHERE is_changed")
    return Tally(named=number("SELECT count(*) FROM import_changes"), created=created, updated=changed)


_GATHER = """
    CREATE TEMP TABLE import_changes AS
    SELECT DISTINCT ON (sku) *, FALSE AS is_changed FROM import_rows WHERE refusal IS NULL ORDER BY sku, line
"""

_UPDATE = SQL("""
    WITH wanted AS (
        SELECT stands.id, stands AS was, told.sku, wanted.*
        FROM import_changes AS told JOIN customers_product AS stands ON stands.sku = told.sku
        CROSS JOIN LATERAL (SELECT told.name, coalesce(told.category, stands.category) AS category,
            coalesce(round(told.price, 4), stands.price) AS price,
            coalesce(told.currency, nullif(stands.currency, ''), %(currency)s) AS currency,
            coalesce(told.margin_share, stands.margin_share) AS margin_share) AS wanted
        WHERE (stands.name, stands.category, stands.price, stands.currency, stands.margin_share)
            IS DISTINCT FROM (wanted.name, wanted.category, wanted.price, wanted.currency, wanted.margin_share)
        ORDER BY stands.id FOR NO KEY UPDATE OF stands
    ), changed AS (
        UPDATE customers_product AS stands SET name = wanted.name, category = wanted.category, price = wanted.price,
            currency = wanted.currency, margin_share = wanted.margin_share, updated_at = %(at)s
        FROM wanted WHERE stands.id = wanted.id
        RETURNING stands.*
    ), kept AS ({kept})
    UPDATE import_changes SET is_changed = TRUE FROM changed WHERE import_changes.sku = changed.sku
""").format(kept=journal.changed("customers_product", held="wanted"))

_CREATE = SQL("""
    WITH created AS (
        INSERT INTO customers_product (sku, name, category, price, currency, margin_share, updated_at)
        SELECT sku, name, coalesce(category, ''), round(price, 4), coalesce(currency, %(currency)s), margin_share,
            %(at)s
        FROM import_changes AS told WHERE NOT EXISTS (SELECT FROM customers_product WHERE sku = told.sku)
        ORDER BY sku
        ON CONFLICT (sku) DO NOTHING
        RETURNING id
    ), kept AS ({kept})
    SELECT count(*) FROM created
""").format(kept=journal.made("customers_product"))


def _links(name: str, *, both_ways: bool) -> tuple[Composable, Composable]:
    """Statements that make the links of the products whose row names any what the file says; other rows' stay."""
    wanted = SQL("""
        SELECT product.id AS from_product_id, other.id AS to_product_id
        FROM import_changes AS told JOIN customers_product AS product ON product.sku = told.sku
        CROSS JOIN LATERAL unnest(told.{name}) AS code
        JOIN customers_product AS other ON other.sku = code COLLATE "C" AND other.id <> product.id
    """).format(name=Identifier(name))
    if both_ways:
        wanted = SQL(
            "SELECT from_product_id, to_product_id FROM ({0}) AS there"
            " UNION SELECT to_product_id, from_product_id FROM ({0}) AS back"
        ).format(wanted)
    table = Identifier(f"customers_product_{name}")
    drop = SQL("""
        WITH wanted AS ({wanted}), gone AS (
            DELETE FROM {table} AS link USING import_changes AS told, customers_product AS product
            WHERE product.sku = told.sku AND link.from_product_id = product.id AND told.{name} IS NOT NULL
                AND NOT EXISTS (SELECT FROM wanted WHERE (wanted.from_product_id, wanted.to_product_id)
                    = (link.from_product_id, link.to_product_id))
            RETURNING link.*
        ), kept AS ({kept})
        UPDATE import_changes AS told SET is_changed = TRUE FROM gone
        JOIN customers_product AS product ON product.id = gone.from_product_id WHERE product.sku = told.sku
    """).format(
        wanted=wanted, table=table, name=Identifier(name), kept=journal.removed(f"customers_product_{name}", "gone")
    )
    add = SQL("""
        INSERT INTO {table} (from_product_id, to_product_id) SELECT DISTINCT * FROM ({wanted}) AS wanted
        ON CONFLICT DO NOTHING RETURNING id
    """).format(table=table, wanted=wanted)
    return drop, journal.inserting(add, f"customers_product_{name}")
