"""What a merge does to rows, each change written down so that it can be undone.

Every room says in its own `carrying.py`, read when the product starts, how the rows of its tables go along: most only
change hands (`plainly`), some would collide with what the other customer has (`carrier`). A test compares the relations
named here with those that the models have, and the database refuses to let a customer go whom a row still names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model
from psycopg.sql import SQL, Composable, Identifier, Literal


class CannotMerge(Exception):
    """Why the two cannot be made one now, in words."""


@dataclass
class Pair:
    """A merge on its way: the customer who goes, the one who stays, and the number of the latest step.

    `addresses` are the e-mail addresses that each had, by id; `address` is the one that stays, as `phones` and `phone`
    are of their numbers. `said`: what holds of what both had said about being written to (consents.py).
    """

    merge_id: int
    loser_id: int
    survivor_id: int
    at: datetime
    addresses: dict[int, str] = field(default_factory=dict)
    address: str = ""
    phones: dict[int, str] = field(default_factory=dict)
    phone: str = ""
    step: int = 0
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [self.loser_id, self.survivor_id]

    def params(self) -> dict[str, Any]:
        """For the conditions and values of steps."""
        return {"merge": self.merge_id, "loser": self.loser_id, "survivor": self.survivor_id, "at": self.at}


Carrier = Callable[[Pair], None]
Settler = Callable[[Sequence[int]], None]
_carriers: list[tuple[int, Carrier]] = []
_settlers: list[Settler] = []
#: Which relations to Customer somebody carries, as app.Model.field.
CARRIED: set[str] = set()
#: What a model's rows are called where a page says what moves, by app.Model. Others are not spoken of.
WORDS: dict[str, str] = {}


def carrier(*relations: str, first: bool = False) -> Callable[[Carrier], Carrier]:
    """Register what carries the rows of these relations (app.Model.field) from the loser to the survivor.

    `first`: before the others, because theirs refer to these rows. It may raise CannotMerge: then nothing happens.
    """

    def register(carry: Carrier) -> Carrier:
        CARRIED.update(relations)
        _carriers.append((0 if first else 1, carry))
        return carry

    return register


def plainly(*relations: str) -> None:
    """Register relations whose rows only change hands."""

    def register(relation: str) -> None:
        label, _, name = relation.rpartition(".")

        @carrier(relation)
        def carry(pair: Pair) -> None:
            model = apps.get_model(label)
            column = model._meta.get_field(name).column
            change(pair, model, {column: "%(survivor)s"}, f"t.{column} = %(loser)s")

    for relation in relations:
        register(relation)


def settler(settle: Settler) -> Settler:
    """Register what brings sums up to the rows of these customers, after a merge and after its undoing."""
    _settlers.append(settle)
    return settle


def carry_all(pair: Pair) -> None:
    for _, carry in sorted(_carriers, key=lambda entry: entry[0]):
        carry(pair)


def settle_all(customer_ids: Sequence[int]) -> None:
    for settle in _settlers:
        settle(customer_ids)


def change(pair: Pair, model: type[Model], values: dict[str, str], where: str, **params: Any) -> int:
    """Set columns of the rows `t` that a condition finds, and keep what they were; how many rows.

    `values`: SQL by column; it sees the row as it was, and the parameters of the pair beside those given.
    """
    table, pk = _named(model)
    columns = SQL(", ").join(SQL("{0}, t.{1}").format(Literal(name), Identifier(name)) for name in values)
    sets = SQL(", ").join(SQL("{} = {}").format(Identifier(name), SQL(value)) for name, value in values.items())
    return _step(
        pair,
        model,
        SQL(
            "WITH old AS MATERIALIZED (SELECT t.{pk} AS pk, jsonb_build_object({columns}) AS was FROM {table} t"
            " WHERE {where} ORDER BY 1 FOR UPDATE),"
            " done AS (UPDATE {table} t SET {sets} FROM old WHERE t.{pk} = old.pk"
            " RETURNING t.{pk} AS pk, old.was AS before, jsonb_build_object({columns}) AS after) "
        ).format(pk=pk, table=table, columns=columns, sets=sets, where=SQL(where)),
        params,
    )


def set_aside(pair: Pair, model: type[Model], where: str, **params: Any) -> int:
    """Take rows `t` out of their table and keep all of them; how many."""
    table, pk = _named(model)
    statement = SQL(
        "WITH gone AS (DELETE FROM {table} t WHERE {where} RETURNING t.*),"
        " done AS (SELECT {pk} AS pk, to_jsonb(gone) AS before, NULL::jsonb AS after FROM gone) "
    )
    return _step(pair, model, statement.format(table=table, pk=pk, where=SQL(where)), params)


def _step(pair: Pair, model: type[Model], statement: Composable, params: dict[str, Any]) -> int:
    pair.step += 1
    keep = SQL(
        "INSERT INTO customers_mergedrow (merge_id, step, model, row, before, after)"
        " SELECT %(merge)s, %(step)s, %(model)s, pk, before, after FROM done"
    )
    named = {"step": pair.step, "model": model._meta.label}
    with connection.cursor() as cursor:
        cursor.execute(statement + keep, pair.params() | named | params)
        return int(cursor.rowcount)


def put_back(merge_id: int) -> dict[str, int]:
    """Undo the steps of a merge from the last to the first; gives how many rows of each model could not come back.

    A column that somebody else has changed since then stays as it is, and so does what has taken a row's place.
    """
    missing: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_STEPS, [merge_id])
        for step, label, number, aside, columns in cursor.fetchall():
            model = apps.get_model(label)
            cursor.execute(_insert(model) if aside else _restore(model, columns), {"merge": merge_id, "step": step})
            if cursor.rowcount < number:
                missing[label] = missing.get(label, 0) + number - cursor.rowcount
    return missing


_STEPS = """
    SELECT step, model, count(*), bool_and(after IS NULL),
           (array_agg(ARRAY(SELECT jsonb_object_keys(before))) FILTER (WHERE row_place = 1))
    FROM (SELECT *, row_number() OVER (PARTITION BY step ORDER BY row) AS row_place
          FROM customers_mergedrow WHERE merge_id = %s) AS kept
    GROUP BY step, model ORDER BY step DESC
"""


def _restore(model: type[Model], columns: Sequence[Sequence[str]]) -> Composable:
    table, pk = _named(model)
    sets = SQL(", ").join(
        SQL("{0} = CASE WHEN coalesce(to_jsonb(t.{0}), 'null') = kept.after->{1} THEN was.{0} ELSE t.{0} END").format(
            Identifier(name), Literal(name)
        )
        for name in columns[0]
    )
    return SQL(
        "UPDATE {table} t SET {sets} FROM customers_mergedrow kept,"
        " LATERAL jsonb_populate_record(NULL::{table}, kept.before) AS was"
        " WHERE kept.merge_id = %(merge)s AND kept.step = %(step)s AND t.{pk} = kept.row"
    ).format(table=table, pk=pk, sets=sets)


def _insert(model: type[Model]) -> Composable:
    """Generated columns are worked out anew."""
    table, _ = _named(model)
    names = [each.column for each in model._meta.concrete_fields if each.column and not each.generated]
    columns = SQL(", ").join([Identifier(name) for name in names])
    was = SQL(", ").join([SQL("was.{}").format(Identifier(name)) for name in names])
    return SQL(
        "INSERT INTO {table} ({columns}) SELECT {was} FROM customers_mergedrow kept,"
        " LATERAL jsonb_populate_record(NULL::{table}, kept.before) AS was"
        " WHERE kept.merge_id = %(merge)s AND kept.step = %(step)s ORDER BY kept.row ON CONFLICT DO NOTHING"
    ).format(table=table, columns=columns, was=was)


def _named(model: type[Model]) -> tuple[Identifier, Identifier]:
    pk = model._meta.pk
    return Identifier(model._meta.db_table), Identifier(str(pk.column))


def counts(customer_ids: Sequence[int], after: dict[str, int] | None = None) -> list[tuple[str, list[int]]]:
    """How many rows of each kind that has a word each of these customers has, kinds without any left out. One query.

    `after`: only rows of higher numbers than these, by app.Model.
    """
    one = "SELECT %s AS words, who, (SELECT count(*) FROM {} WHERE customer_id = who AND id > %s) FROM UNNEST(%s) who"
    parts: list[Composable] = []
    params: list[Any] = []
    for label, words in WORDS.items():
        parts.append(SQL(one).format(Identifier(apps.get_model(label)._meta.db_table)))
        params += [words, (after or {}).get(label, 0), list(customer_ids)]
    with connection.cursor() as cursor:
        cursor.execute(SQL(" UNION ALL ").join(parts), params)
        found = {(words, who): number for words, who, number in cursor.fetchall()}
    rows = ((words, [found[words, who] for who in customer_ids]) for words in WORDS.values())
    return [(words, numbers) for words, numbers in rows if any(numbers)]


def latest() -> dict[str, int]:
    """The highest number that a row of each of these kinds has: what comes later has a higher one."""
    newest = {label: apps.get_model(label)._default_manager.order_by("-pk").first() for label in WORDS}
    return {label: row.pk for label, row in newest.items() if row}
