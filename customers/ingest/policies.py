"""What a file may do to what is there already: make, change, or only fill what is empty.

A merge lets a file have the last word and leaves what an empty cell is about. So a policy needs no merge of its own: it
leaves rows out, or takes out of staged rows what they must not say.
"""

from collections.abc import Callable

from psycopg.sql import SQL, Composable, Identifier, Literal

from customers.ingest.statements import number, run
from customers.models.imports import ImportKind

BOTH, CREATE, UPDATE, FILL = "both", "create", "update", "fill"
POLICIES = {
    BOTH: "Bring in what is new and change what is there",
    CREATE: "Bring in what is new, leave what is there as it is",
    UPDATE: "Change what is there, bring in nothing new",
    FILL: "Fill only what is empty, bring in nothing new",
}
#: Where the records of a kind of file are staged, their id there, and how one that is there is found.
_RECORDS: dict[str, tuple[str, str, str]] = {
    ImportKind.CUSTOMERS: ("import_rows", "customer_id", "customers_customer WHERE external_id = told.customer_id"),
    ImportKind.PRODUCTS: ("import_rows", "sku", "customers_product WHERE sku = told.sku"),
    ImportKind.CONTACTS: (
        "import_rows",
        "contact",
        (
            "customers_contact AS one JOIN customers_customer AS whole ON whole.id = one.customer_id"
            " WHERE whole.external_id = told.customer_id AND lower(one.email) = lower(told.contact_email)"
        ),
    ),
    ImportKind.ORDERS: ("import_orders", "order_id", "customers_order WHERE external_id = told.order_id"),
    ImportKind.ORDER_LINES: ("import_orders", "order_id", "customers_order WHERE external_id = told.order_id"),
    ImportKind.SUBSCRIPTIONS: (
        "import_subscriptions",
        "subscription_id",
        "customers_subscription WHERE external_id = told.subscription_id",
    ),
    ImportKind.INTERACTIONS: (
        "import_interactions",
        "interaction_id",
        "customers_interaction WHERE external_id = told.interaction_id AND external_id <> ''",
    ),
    ImportKind.TASKS: (
        "import_tasks",
        "task_id",
        "customers_task WHERE external_id = told.task_id AND external_id <> ''",
    ),
    ImportKind.EVENTS: (
        "import_events",
        "line",
        (
            "customers_event AS one JOIN customers_customer AS whole ON whole.id = one.customer_id"
            " WHERE whole.external_id = told.customer_id AND one.kind = told.kind AND one.dedup_key = told.dedup_key"
        ),
    ),
    ImportKind.CASES: ("import_cases", "case_id", "customers_case WHERE external_id = told.case_id"),
}


def apply(kind: str, policy: str) -> int:
    """Leave out of staging what the policy does not want; returns how many rows of the file that are."""
    if policy == BOTH:
        return 0
    table, key, there = _RECORDS[kind]
    unwanted = SQL("EXISTS (SELECT FROM {})" if policy == CREATE else "NOT EXISTS (SELECT FROM {})").format(SQL(there))
    parts = {"table": Identifier(table), "key": Identifier(key), "unwanted": unwanted}
    if table == "import_rows":
        left_out = run(SQL("DELETE FROM import_rows AS told WHERE refusal IS NULL AND {unwanted}").format(**parts))
    else:
        left_out = run(SQL(_LEAVE_OUT).format(**parts))
        run(SQL("DELETE FROM {table} AS told WHERE {unwanted}").format(**parts))
    if policy == FILL:
        _FILL[kind]()
    if policy == FILL and kind == ImportKind.ORDER_LINES:
        # The lines of an order are one whole, and stand.
        left_out += number("SELECT coalesce(sum(lines), 0) FROM import_orders")
        run("UPDATE import_orders SET lines = NULL")
    return left_out


_LEAVE_OUT = """
    DELETE FROM import_rows AS row USING {table} AS told
    WHERE row.{key} = told.{key} AND row.refusal IS NULL AND {unwanted}
"""


def _spare(
    table: str, stands: str, blank: dict[str, str], same: dict[str, str] | None = None, *, held: str = "stands"
) -> None:
    """Of staged rows let only that stand which fills a blank.

    `blank` says by column when what stands is one; columns in `same`, which a row must have, say what stands. That is
    asked once the rows `held` are: what somebody fills in at this very moment is waited for, and then no blank.
    """
    run(_HOLD.format(table=Identifier(table), stands=SQL(stands), held=Identifier(held)))
    pieces: list[Composable] = [
        SQL("{0} = CASE WHEN {1} THEN told.{0} END").format(Identifier(name), SQL(test)) for name, test in blank.items()
    ]
    pieces += [SQL("{} = {}").format(Identifier(name), SQL(value)) for name, value in (same or {}).items()]
    run(
        SQL("UPDATE {} AS told SET {} FROM {}").format(Identifier(table), SQL(", ").join(pieces), SQL(stands)),
    )


_HOLD = SQL("SELECT FROM {table} AS told, {stands} ORDER BY {held}.id FOR NO KEY UPDATE OF {held}")


def _texts(*names: str) -> dict[str, str]:
    return {name: f"stands.{name} = ''" for name in names}


def _nulls(*names: str) -> dict[str, str]:
    return {name: f"stands.{name} IS NULL" for name in names}


_ATTRIBUTES = {"attributes": "told.attributes - ARRAY(SELECT jsonb_object_keys(stands.attributes))"}
_OF_CUSTOMER = ("name", "email", "phone", "country", "language")


def _fill_customers() -> None:
    blank = _texts(*_OF_CUSTOMER, "time_zone", "persona") | _nulls("owner_id", "team_id", "joined_at")
    blank |= {"tags": "stands.tags = '{}'", "kind": "FALSE", "is_key_account": "FALSE"}
    there = "customers_customer AS stands WHERE stands.external_id = told.customer_id AND told.refusal IS NULL"
    _spare("import_rows", there, blank, _ATTRIBUTES)


def _fill_contacts() -> None:
    blank = _texts("role", "phone", "language", "time_zone") | _nulls("birthday")
    blank |= {"contact_name": "stands.name = ''", "main": "FALSE"}
    there = (
        "customers_contact AS stands JOIN customers_customer AS whole ON whole.id = stands.customer_id"
        " WHERE whole.external_id = told.customer_id AND lower(stands.email) = lower(told.contact_email)"
        " AND told.refusal IS NULL"
    )
    _spare("import_rows", there, blank, _ATTRIBUTES, held="whole")  # as whoever changes a contact does


def _fill_products() -> None:
    links = {
        name: f"NOT EXISTS (SELECT FROM customers_product_{name} WHERE from_product_id = stands.id)"
        for name in ("upgrades_to", "goes_with")
    }
    blank = _texts("category", "currency") | _nulls("price", "margin_share") | links
    _spare("import_rows", "customers_product AS stands WHERE stands.sku = told.sku", blank, {"name": "stands.name"})


def _fill_orders() -> None:
    same = {name: f"stands.{name}" for name in ("ordered_at", "state", "amount", "refunded", "currency")}
    there = "customers_order AS stands WHERE stands.external_id = told.order_id"
    _spare("import_orders", there, _nulls("customer_id"), same)


def _fill_subscriptions() -> None:
    names = ("plan", "quantity", "amount", "currency", "interval", "interval_count", "discount")
    same = {name: f'term."{name}"' for name in names} | {"started_at": "term.valid_from"}
    blank = _texts("cancel_reason") | {"notice_days": "stands.notice_days = 0", "auto_renews": "FALSE"}
    blank |= {"renews_at": "stands.renews_at IS NULL AND stands.auto_renews", "ended_at": "FALSE"}
    there = (
        "customers_subscription AS stands JOIN LATERAL (SELECT * FROM customers_subscriptionterm"
        " WHERE subscription_id = stands.id ORDER BY valid_from DESC LIMIT 1) AS term ON TRUE"
        " WHERE stands.external_id = told.subscription_id"
    )
    _spare("import_subscriptions", there, blank, same)


def _fill_cases() -> None:
    blank = _nulls("answered_at", "resolved_at", "rating", "rated_at", "assignee_id") | {"priority": "FALSE"}
    same = {"subject": "stands.subject", "opened_at": "stands.opened_at"}
    _spare("import_cases", "customers_case AS stands WHERE stands.external_id = told.case_id", blank, same)


def _fill_interactions() -> None:
    blank = _texts("outcome", "sentiment", "next_step") | {"next_on": "stands.next_on IS NULL"}
    blank |= {"email": "stands.contact_id IS NULL", "author": "stands.author_id IS NULL"}
    same = {name: f"stands.{name}" for name in ("kind", "happened_at", "text")}
    there = "customers_interaction AS stands WHERE stands.external_id = told.interaction_id AND external_id <> ''"
    _spare("import_interactions", there, blank, same)


def _fill_tasks() -> None:
    blank = _texts("reason") | _nulls("assignee_id") | {"progress": "FALSE", "closed_at": "FALSE"}
    same = {"title": "stands.title", "due_at": "stands.due_at"}
    there = "customers_task AS stands WHERE stands.external_id = told.task_id AND external_id <> ''"
    _spare("import_tasks", there, blank, same)


def _fill_events() -> None:
    """What happened has no blanks."""


_FILL: dict[str, Callable[[], None]] = {
    ImportKind.INTERACTIONS: _fill_interactions,
    ImportKind.TASKS: _fill_tasks,
    ImportKind.EVENTS: _fill_events,
    ImportKind.CUSTOMERS: _fill_customers,
    ImportKind.CONTACTS: _fill_contacts,
    ImportKind.PRODUCTS: _fill_products,
    ImportKind.ORDERS: _fill_orders,
    ImportKind.ORDER_LINES: _fill_orders,
    ImportKind.SUBSCRIPTIONS: _fill_subscriptions,
    ImportKind.CASES: _fill_cases,
}

#: What an empty cell becomes where the person says that it empties its field, by the column in staging.
EMPTIES: dict[str, dict[str, str]] = {
    ImportKind.CUSTOMERS: {
        **dict.fromkeys((*_OF_CUSTOMER, "time_zone", "persona"), "''"),
        "tags": "'{}'",
    },
    ImportKind.CONTACTS: dict.fromkeys(("contact_name", "role", "phone", "language", "time_zone"), "''"),
    ImportKind.PRODUCTS: {"category": "''"},
}


def empty(kind: str, mapped: set[str], custom: list[str]) -> None:
    """Let empty cells of mapped columns empty their fields; `custom` are the keys of custom fields among them."""
    told = {name: blank for name, blank in EMPTIES.get(kind, {}).items() if name in mapped}
    pieces = [SQL("{0} = coalesce({0}, {1})").format(Identifier(name), SQL(blank)) for name, blank in told.items()]
    if custom:
        nothing = SQL("jsonb_object({}::text[], array_fill(NULL::text, ARRAY[{}]))")
        pieces.append(
            SQL("attributes = {} || coalesce(attributes, '{{}}')").format(
                nothing.format(Literal(custom), Literal(len(custom)))
            )
        )
    if pieces:
        run(SQL("UPDATE import_rows SET {} WHERE refusal IS NULL").format(SQL(", ").join(pieces)))
