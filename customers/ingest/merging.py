"""Merging customers: staged rows become customers with their consent, and the events that follow.

Rows that say nothing new write nothing. An empty cell leaves what is there. A customers file has the last word on its
customers; a file of orders makes those it does not find and fills what is empty about the others, no more. No file
turns an opt-out back into a consent; one that brings another address or number lets the consent for the old one lapse.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Composable, Identifier, Literal

from customers.ingest import journal
from customers.ingest.matching import PHONE
from customers.ingest.policies import BOTH, CREATE, FILL, UPDATE
from customers.ingest.statements import number, run
from customers.models import Channel
from customers.models.imports import ImportKind

#: The field of a file that says of each channel whether they agreed.
CONSENTS: dict[str, str] = {Channel.EMAIL: "consent", Channel.SMS: "sms_consent"}
_MERGE_TURN = 7_461_001  # any number that no other advisory lock of the product uses


@dataclass(frozen=True)
class Circumstances:
    """What the statements need beside the rows: of which import, when, its file, the currency where that names none.

    `channels` are those of which the file says who agreed.
    """

    run: int
    at: datetime
    source: str
    proof: str
    currency: str
    policy: str = BOTH
    empties: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def params(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Tally:
    """What became of the customers, orders or lines that a file names."""

    named: int
    created: int
    updated: int
    removed: int = 0

    def to_json(self) -> dict[str, int]:
        return {**asdict(self), "unchanged": self.named - self.created - self.updated}


def take_turn() -> None:
    """Let one transaction at a time merge: two that make the same customers could wait for each other for ever."""
    run("SELECT pg_advisory_xact_lock(%(turn)s)", turn=_MERGE_TURN)


@contextmanager
def turn_kept() -> Iterator[None]:
    """The turn outside a transaction: inside, `take_turn` waits for nobody, and everybody else for this connection."""
    run("SELECT pg_advisory_lock(%(turn)s)", turn=_MERGE_TURN)
    try:
        yield
    finally:
        run("SELECT pg_advisory_unlock(%(turn)s)", turn=_MERGE_TURN)


def merge_customers(kind: str, circumstances: Circumstances) -> Tally:
    """Make and change the customers that staged rows of this kind name."""
    own = _NAMED_IN.get(kind)
    named = run(SQL(_GATHER_NAMED).format(own=Identifier(own)) if own else _GATHER_CUSTOMERS)
    run("ANALYZE import_customers (customer_id)")
    params = circumstances.params()
    # Changed before made: what is made in this transaction has no statistics that a join with it could be planned by.
    updated = 0 if circumstances.policy == CREATE else number(_update(_rules(kind, circumstances)), **params)
    if updated and kind == ImportKind.CUSTOMERS:
        run(_LAPSE, **params)
    created = 0 if circumstances.policy in (UPDATE, FILL) else number(_CREATE, **params)
    if created:
        run("ANALYZE customers_customer (id, external_id)")  # by which the rest joins; the words of all take long
    return Tally(named=named, created=created, updated=updated)


def _rules(kind: str, circumstances: Circumstances) -> dict[str, str]:
    """What becomes of each column. Empty cells that empty texts are staged as such; the rest is said here."""
    if kind != ImportKind.CUSTOMERS:
        return _FILL_BLANKS
    return _LAST_WORD | {name: "told.{0}" for name in _CAN_BE_NULL if name in circumstances.empties}


def merge_consents(circumstances: Circumstances) -> int:
    """Write the consents that staged customers bring, channel by channel; returns how many changed."""
    params = circumstances.params()
    changed = 0
    for channel in circumstances.channels:
        run("DROP TABLE IF EXISTS import_consents")
        run(_of(channel, _HOLD), **params)
        changed += number(_of(channel, _CONSENTS), **params)
    return changed


def _of(channel: str, statement: str) -> Composable:
    return SQL(statement).format(
        said=SQL(_SAID).format(told=Identifier("told", CONSENTS[channel]), channel=Literal(channel)),
        told=Identifier("told", CONSENTS[channel]),
        channel=Literal(channel),
        changed=journal.changed("customers_consent", "later"),
        made=journal.made("customers_consent"),
    )


_GATHER_CUSTOMERS = """
    CREATE TEMP TABLE import_customers AS
    SELECT DISTINCT ON (customer_id) * FROM import_rows WHERE refusal IS NULL ORDER BY customer_id, line
"""

#: Where the records of other kinds name their customers.
_NAMED_IN: dict[str, str] = {
    ImportKind.ORDERS: "import_orders",
    ImportKind.ORDER_LINES: "import_orders",
    ImportKind.SUBSCRIPTIONS: "import_subscriptions",
    ImportKind.CASES: "import_cases",
}

# They are described by the first line that names them, and known since the first thing that happened to them.
_GATHER_NAMED = """
    CREATE TEMP TABLE import_customers AS
    SELECT customer_id, name, email, phone, country, language, consent, sms_consent, consent_source, consent_proof,
        consent_at, source, joined_at, NULL AS kind, NULL AS time_zone, NULL::bigint AS owner_id, NULL::text[] AS tags,
        NULL::jsonb AS attributes, NULL::bigint AS team_id, NULL::boolean AS is_key_account, NULL AS persona
    FROM import_rows JOIN (
        SELECT min(customer_line) AS line, min(known_at) AS joined_at
        FROM {own} WHERE customer_id IS NOT NULL GROUP BY customer_id
    ) AS first USING (line)
"""

_CREATE = SQL("""
    WITH created AS (
        INSERT INTO customers_customer (external_id, kind, name, email, phone, country, language, time_zone, owner_id,
            team_id, is_key_account, persona, source, tags, attributes, joined_at, created_at, updated_at)
        SELECT customer_id, coalesce(kind, 'person'), coalesce(name, ''), coalesce(email, ''), coalesce(phone, ''),
            coalesce(country, ''), coalesce(language, ''), coalesce(time_zone, ''), owner_id,
            team_id, coalesce(is_key_account, FALSE), coalesce(persona, ''),
            coalesce(source, %(source)s), coalesce(tags, '{{}}'),
            jsonb_strip_nulls(coalesce(attributes, '{{}}')), joined_at, %(at)s,
            %(at)s
        FROM import_customers AS told
        WHERE NOT EXISTS (SELECT FROM customers_customer WHERE external_id = told.customer_id)
        ORDER BY customer_id
        ON CONFLICT (external_id) DO NOTHING
        RETURNING id, joined_at
    ), recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT id, 'customer.created', coalesce(joined_at, %(at)s), %(at)s, 'import', 'customer:' || id, '{{}}',
            'created'
        FROM created
    ), told AS ({made})
    SELECT count(*) FROM created
""").format(made=journal.made("customers_customer"))

# What a column becomes, from what the file tells and what stands.
_LAST_WORD = {
    **dict.fromkeys(
        ("kind", "name", "email", "phone", "country", "language", "time_zone", "owner_id", "tags", "joined_at"),
        "coalesce(told.{0}, stands.{0})",
    ),
    **dict.fromkeys(("team_id", "is_key_account", "persona"), "coalesce(told.{0}, stands.{0})"),
    "attributes": "jsonb_strip_nulls(stands.{0} || coalesce(told.{0}, '{{}}'))",
}
_CAN_BE_NULL = ("owner_id", "team_id", "joined_at")
_FILL_BLANKS = dict.fromkeys(
    ("name", "email", "phone", "country", "language"), "coalesce(nullif(stands.{0}, ''), told.{0}, '')"
)


def _update(rules: dict[str, str]) -> Composable:
    columns = SQL(", ").join(map(Identifier, rules))
    standing = SQL(", ").join(SQL("stands.{}").format(Identifier(name)) for name in rules)
    rule = {name: SQL(rule).format(Identifier(name)) for name, rule in rules.items()}
    wanted = SQL(", ").join(rule.values())
    named = SQL(", ").join(SQL("{} AS {}").format(become, Identifier(name)) for name, become in rule.items())
    of_held = SQL(", ").join(Identifier("held", name) for name in rules)
    return SQL(
        "WITH held AS ("
        "  SELECT stands.id, stands AS was, {named} FROM import_customers AS told"
        "  JOIN customers_customer AS stands ON stands.external_id = told.customer_id"
        "  WHERE ({standing}) IS DISTINCT FROM ({wanted}) ORDER BY stands.id FOR NO KEY UPDATE OF stands"
        "), changed AS ("
        "  UPDATE customers_customer AS stands SET ({columns}, updated_at) = ROW ({of_held}, %(at)s)"
        "  FROM held WHERE stands.id = held.id RETURNING stands.*"
        "), marked AS (INSERT INTO customers_dirty (customer_id) SELECT id FROM changed"
        "), told AS ({told}) SELECT count(*) FROM changed"
    ).format(
        columns=columns,
        standing=standing,
        wanted=wanted,
        named=named,
        of_held=of_held,
        told=journal.changed("customers_customer", held="held"),
    )


# Who agreed at an address or a number did not agree for another one (as in customers/records/editing.py). The customers
# whose address the update changed are held by it, so that whatever they agreed to while it waited is seen by now.
_LAPSE = SQL("""
    WITH moved AS (
        SELECT first AS id, channel FROM customers_importchange CROSS JOIN LATERAL (VALUES
            ('email', lower(before ->> 'email'), lower(after ->> 'email')),
            ('sms', {was}, {becomes})
        ) AS reached (channel, was, becomes)
        WHERE run_id = %(run)s AND at = %(at)s AND "table" = 'customers_customer' AND was <> ''
            AND was IS DISTINCT FROM becomes
    ), removed AS (
        DELETE FROM customers_consent AS stands USING moved
        WHERE stands.customer_id = moved.id AND stands.channel = moved.channel AND stands.state = 'granted'
        RETURNING stands.*
    ), recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT customer_id, 'consent.lapsed', %(at)s, %(at)s, 'import', '', jsonb_build_object('channel', channel),
            gen_random_uuid()
        FROM removed
    ), told AS ({removed})
    SELECT count(*) FROM removed
""").format(
    was=SQL(PHONE.format("before ->> 'phone'")),
    becomes=SQL(PHONE.format("after ->> 'phone'")),
    removed=journal.removed("customers_consent"),
)

# What staged customers say of a channel that is not so.
_SAID = """
    import_customers AS told
    JOIN customers_customer AS customer ON customer.external_id = told.customer_id
    LEFT JOIN customers_consent AS stands ON stands.customer_id = customer.id AND stands.channel = {channel}
    WHERE {told} IS NOT NULL
        AND (stands.id IS NULL
            OR (stands.state = 'granted' AND {told} = 'withdrawn' AND %(policy)s <> 'fill'))
"""

# The rows of customers who were there are locked first, as whoever changes a consent does
# (customers/records/consent.py), and their consents read again then.
_HOLD = """
    CREATE TEMP TABLE import_consents AS SELECT customer.id FROM {said}
        AND %(policy)s <> 'create' AND customer.created_at <> %(at)s
    ORDER BY customer.id FOR UPDATE OF customer
"""

# Which consents are first ones is known from before: the table itself, while it is being filled, would be read through
# for each row.
_CONSENTS = """
    WITH said AS (
        SELECT customer.id, {told} AS consent, coalesce(told.consent_source, told.source, %(source)s) AS source,
            left(concat_ws('; ', %(proof)s::text, told.consent_proof), 300) AS proof,
            coalesce(told.consent_at, %(at)s) AS said_at, stands.id IS NULL AS is_first
        FROM {said} AND (customer.created_at = %(at)s OR customer.id IN (SELECT id FROM import_consents))
    ), written AS (
        INSERT INTO customers_consent AS stands (customer_id, channel, state, source, proof, changed_at)
        SELECT id, {channel}, consent, source, proof, said_at FROM said ORDER BY id
        ON CONFLICT (customer_id, channel) DO UPDATE
        SET state = excluded.state, source = excluded.source, proof = excluded.proof,
            changed_at = greatest(stands.changed_at, excluded.changed_at)
        WHERE stands.state = 'granted' AND excluded.state = 'withdrawn'
        RETURNING *
    ), recorded AS (
        INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
        SELECT customer_id, 'consent.' || state, changed_at, %(at)s, left(source, 60), 'consent:' || id,
            jsonb_build_object('channel', channel, 'told', source, 'proof', proof), gen_random_uuid()
        FROM written
    ), created AS (SELECT written.id FROM written JOIN said ON said.id = written.customer_id WHERE is_first
    ), later AS (SELECT written.* FROM written JOIN said ON said.id = written.customer_id WHERE NOT is_first
    ), changes AS ({changed}
    ), told AS ({made})
    SELECT count(*) FROM written
"""
