"""Merging orders and their lines.

An order's lines come whole: the nth line of the order in the file is its nth line, and what the file no longer has is
removed. An order's amount is the sum of its lines where a file brings lines, and what the file says otherwise.
"""

from psycopg.sql import SQL, Composable

from customers.ingest import journal
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.statements import number, parents_held, rows, run


def merge_orders(circumstances: Circumstances) -> Tally:
    """Make and change the gathered orders; their customers are there already."""
    params = circumstances.params()
    # Changed before made: what is made in this transaction has no statistics that a join with it could be planned by.
    updated = number(_UPDATE, **params)
    ((created, untold),) = rows(_CREATE, **params)
    if untold:
        run(_TELL_ANEW, **params)
    run("ANALYZE customers_order")
    return Tally(named=number("SELECT count(*) FROM import_orders"), created=created, updated=updated)


def merge_lines(circumstances: Circumstances) -> Tally:
    """Make the lines of the gathered orders what the file says; their orders are there already."""
    params = circumstances.params()
    run(_GATHER_HOMES)
    run("ANALYZE import_homes")
    ((named, fresh, known),) = rows(_COUNT_HOMES)
    read = SQL(" UNION ALL ").join([_read(_IN_ONE_PIECE, "in_one_piece"), _read(_SCATTERED, "NOT in_one_piece")])
    removed = updated = created = 0
    if known:
        run(SQL(_CHANGES).format(read=read))
        removed = number(journal.deleting(_REMOVE_LINES, _LINES), **params)
        updated = number(journal.updating(_UPDATE_LINES, _LINES), **params)
        created = number(journal.inserting(_CREATE_LINES, _LINES), **params)
    if fresh:
        last = number("SELECT coalesce(max(id), 0) FROM customers_orderline")
        with parents_held():
            first_lines = run(SQL(_FIRST_LINES).format(read=read))
        created += first_lines
        if not run(_TELL_ONE_SPAN, last=last, created=first_lines, **params):
            run(_TELL_FIRST_LINES, **params)
    return Tally(named=named, removed=removed, updated=updated, created=created)


def _read(position: str, of: str) -> Composable:
    return SQL(_READ).format(position=SQL(position), of=SQL(of))


_LINES = "customers_orderline"


#: The dedup key of an order's events.
KEY = "'order:' || CASE WHEN length(external_id) > 100 THEN md5(external_id) ELSE external_id END"
# An order without a customer happens to nobody: it is kept, and no event tells of it.
_EVENT = SQL("""
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT customer_id, CASE state WHEN 'cancelled' THEN 'order.cancelled' ELSE 'order.placed' END, happened_at, %(at)s,
        'import', 'order:' || id,
        jsonb_build_object('amount', CASE WHEN scale(trim_scale(amount)) < 3 THEN round(amount, 2)
            ELSE trim_scale(amount) END::text, 'currency', currency, 'external_id', external_id),
        {key}
""").format(key=SQL(KEY))

_CREATE = SQL("""
    WITH created AS (
        INSERT INTO customers_order (external_id, customer_id, ordered_at, state, amount, refunded, currency, source,
            created_at)
        SELECT told.order_id, customer.id, told.ordered_at, coalesce(told.state, 'completed'), told.amount,
            coalesce(told.refunded, 0), coalesce(told.currency, %(currency)s), coalesce(told.source, %(source)s), %(at)s
        FROM import_orders AS told LEFT JOIN customers_customer AS customer ON customer.external_id = told.customer_id
        WHERE NOT EXISTS (SELECT FROM customers_order WHERE external_id = told.order_id)
        ORDER BY told.ordered_at, told.order_id
        ON CONFLICT (external_id) DO NOTHING
        RETURNING id, external_id, customer_id, ordered_at AS happened_at, state, amount, currency
    ), recorded AS ({event} FROM created WHERE customer_id IS NOT NULL ON CONFLICT DO NOTHING RETURNING id
    ), kept AS ({made})
    SELECT count(*), count(customer_id) - (SELECT count(*) FROM recorded) FROM created
""").format(event=_EVENT, made=journal.made("customers_order"))

# An order of this id was told of before, and taken back with the file that brought it: this is another one.
_TELL_ANEW = SQL("""
    WITH created AS (
        SELECT orders.id, external_id, customer_id, ordered_at AS happened_at, state, amount, currency
        FROM customers_importchange AS made JOIN customers_order AS orders ON orders.id BETWEEN made.first AND made.last
        JOIN customers_event AS told USING (customer_id)
        WHERE made.run_id = %(run)s AND made.at = %(at)s AND made."table" = 'customers_order' AND made.before IS NULL
            AND told.kind = CASE state WHEN 'cancelled' THEN 'order.cancelled' ELSE 'order.placed' END
            AND told.dedup_key = {key} AND told.ref <> 'order:' || orders.id
            AND NOT EXISTS (SELECT FROM customers_order
                WHERE id = CASE WHEN told.ref ~ '^order:[0-9]{{1,18}}$' THEN substr(told.ref, 7)::bigint END)
    )
    {event} || ':' || id FROM created
""").format(event=_EVENT, key=SQL(KEY))

# A change tells as an event only that an order is now cancelled, or whose it is; anything else is a mark.
_UPDATE = SQL("""
    WITH told AS (
        SELECT stands.id, stands AS was, stands.customer_id AS customer_before, stands.state AS state_before, wanted.*
        FROM import_orders AS told
        JOIN customers_order AS stands ON stands.external_id = told.order_id
        LEFT JOIN customers_customer AS customer ON customer.external_id = told.customer_id
        CROSS JOIN LATERAL (SELECT coalesce(customer.id, stands.customer_id) AS customer_id, told.ordered_at,
            coalesce(told.state, CASE WHEN stands.amount < 0 AND told.amount >= 0 THEN 'completed'
                ELSE stands.state END) AS state, told.amount,
            coalesce(told.refunded, stands.refunded) AS refunded, coalesce(told.currency, stands.currency) AS currency
        ) AS wanted
        WHERE (stands.customer_id, stands.ordered_at, stands.state, stands.amount, stands.refunded, stands.currency)
            IS DISTINCT FROM (wanted.customer_id, wanted.ordered_at, wanted.state, wanted.amount, wanted.refunded,
                wanted.currency)
        ORDER BY stands.id FOR NO KEY UPDATE OF stands
    ), changed AS (
        UPDATE customers_order AS stands
        SET customer_id = told.customer_id, ordered_at = told.ordered_at, state = told.state, amount = told.amount,
            refunded = told.refunded, currency = told.currency
        FROM told WHERE stands.id = told.id
        RETURNING stands.*, customer_before, state_before,
            CASE WHEN stands.customer_id = customer_before THEN %(at)s ELSE stands.ordered_at END AS happened_at
    ), marked AS (
        INSERT INTO customers_dirty (customer_id)
        SELECT customer_before FROM changed WHERE customer_before IS NOT NULL
        UNION SELECT customer_id FROM changed WHERE customer_id IS NOT NULL
    ), recorded AS ({event} FROM changed WHERE customer_id IS DISTINCT FROM customer_before
        OR (customer_id IS NOT NULL AND state = 'cancelled' AND state_before <> 'cancelled') ON CONFLICT DO NOTHING
    ), kept AS ({changed})
    SELECT count(*) FROM changed
""").format(event=_EVENT, changed=journal.changed("customers_order", held="told"))

# The orders whose lines the file brings, kept from being removed meanwhile.
_GATHER_HOMES = """
    CREATE TEMP TABLE import_homes AS
    SELECT orders.id, told.order_id, told.lines, told.first_line,
        told.last_line - told.first_line + 1 = told.lines AS in_one_piece,
        EXISTS (SELECT FROM customers_orderline WHERE order_id = orders.id) AS has_lines
    FROM import_orders AS told JOIN customers_order AS orders ON orders.external_id = told.order_id
    WHERE told.lines IS NOT NULL ORDER BY orders.id FOR KEY SHARE OF orders
"""
_COUNT_HOMES = """
    SELECT coalesce(sum(lines), 0)::bigint, count(*) FILTER (WHERE NOT has_lines), count(*) FILTER (WHERE has_lines)
    FROM import_homes
"""

_READ = """
    SELECT home.id AS order_id, {position} AS position, coalesce(sku, '') AS sku,
        coalesce(description, '') AS description, coalesce(quantity, 1)::numeric(14, 3) AS quantity,
        unit_price::numeric(18, 4), has_lines
    FROM import_rows AS told JOIN import_homes AS home USING (order_id)
    WHERE refusal IS NULL AND {of}
"""
# Where an order's lines follow one another in the file, each on one line, that says their places without sorting them.
_IN_ONE_PIECE = "line - first_line + 1"
_SCATTERED = "row_number() OVER (PARTITION BY home.id ORDER BY line)"

# The file's lines of orders that have some, as far as they are new or say otherwise, with the line in their place.
_CHANGES = """
    CREATE TEMP TABLE import_changes AS
    SELECT told.*, stands.id AS stands
    FROM ({read}) AS told
    LEFT JOIN customers_orderline AS stands ON stands.order_id = told.order_id AND stands.position = told.position
    WHERE has_lines AND (stands.id IS NULL OR (stands.sku, stands.description, stands.quantity, stands.unit_price)
        IS DISTINCT FROM (told.sku, told.description, told.quantity, told.unit_price))
"""

_REMOVE_LINES = """
    DELETE FROM customers_orderline AS stands USING import_homes AS home
    WHERE stands.order_id = home.id AND stands.position > home.lines
    RETURNING stands.*
"""

_UPDATE_LINES = """
    UPDATE customers_orderline AS stands
    SET sku = told.sku, description = told.description, quantity = told.quantity, unit_price = told.unit_price
    FROM import_changes AS told WHERE stands.id = told.stands
    RETURNING stands.*
"""

_CREATE_LINES = """
    INSERT INTO customers_orderline (order_id, position, sku, description, quantity, unit_price)
    SELECT order_id, position, sku, description, quantity, unit_price FROM import_changes WHERE stands IS NULL
    ORDER BY order_id, position
    RETURNING id
"""

_FIRST_LINES = """
    INSERT INTO customers_orderline (order_id, position, sku, description, quantity, unit_price)
    SELECT order_id, position, sku, description, quantity, unit_price FROM ({read}) AS told WHERE NOT has_lines
"""
# Where nobody else took an id meanwhile the first and the last tell of all, and are found at the ends of an index.
_TELL_ONE_SPAN = """
    INSERT INTO customers_importchange (run_id, at, "table", first, last)
    SELECT %(run)s, %(at)s, 'customers_orderline', first, last FROM (
        SELECT min(id) AS first, max(id) AS last FROM customers_orderline WHERE id > %(last)s) AS span
    WHERE last - first + 1 = %(created)s
"""
_TELL_FIRST_LINES = SQL("""
    WITH created AS (
        SELECT line.id FROM customers_orderline AS line JOIN import_homes AS home ON home.id = line.order_id
        WHERE NOT has_lines)
    {made}
""").format(made=journal.made(_LINES))
