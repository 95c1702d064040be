"""A large file that comes again, while nobody has touched what it is about: then there is little to be done.

What an import writes is marked with its transaction. As long as no row of the tables it compared with was written by
another one since, and none is gone, every comparison would come out as before: the same file changes nothing. Where
only customers were written since, and the file differs in some lines, those are looked at (`nearly`). Anything else
leads to the whole comparison; so does a row that was refused, for what refused it may have passed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from psycopg.sql import SQL, Composable, Identifier

from customers.ingest.mapping import Mapping
from customers.ingest.policies import BOTH
from customers.ingest.statements import rows
from customers.models import Import
from customers.models.imports import ImportKind
from retention.workspace.models import Workspace

LARGE = 10_000  # rows of a file, below which comparing takes no time
WORTH = 20  # rows in the tables for one in the file, above which looking through them does not pay
_OF_CUSTOMERS = ("customers_customer", "customers_consent")
_BESIDE = (*_OF_CUSTOMERS, "customers_formerid", "customers_customfield")
_TABLES: dict[str, tuple[str, ...]] = {
    ImportKind.CUSTOMERS: (*_BESIDE, "customers_team"),
    ImportKind.ORDERS: (*_BESIDE, "customers_order"),
    ImportKind.ORDER_LINES: (*_BESIDE, "customers_order", "customers_orderline"),
}


class Moment(NamedTuple):
    """A moment of a transaction: all before `horizon` were over, `own` is the transaction's. Of one cluster."""

    horizon: str
    own: str
    cluster: str


class Told(NamedTuple):
    """Fingerprints: the same for files that are read in the same way, and for the same bytes that are.

    Both "" where a repetition is not looked for.
    """

    how: str
    file: str


def told(path: Path, mapping: Mapping, workspace: Workspace) -> Told:
    if mapping.kind not in _TABLES or mapping.policy != BOTH or "owner_id" in mapping.fields:
        return Told("", "")
    how = json.dumps([mapping.to_json(), workspace.time_zone, workspace.currency], sort_keys=True).encode()
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").digest()
    return Told(hashlib.sha256(how).hexdigest(), hashlib.sha256(content + how).hexdigest())


def now() -> Moment:
    """To be asked before an import compares: who is not over by now may yet write what it does not see."""
    ((horizon, own, cluster),) = rows(_NOW)
    return Moment(horizon, own, cluster)


# Transactions are counted by the cluster: a database that was restored into another one begins anew.
_NOW = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_current_xact_id()::text, system_identifier::text
    FROM pg_control_system()
"""


def marked(mapping: Mapping, told: Told, counts: dict[str, int], begun: Moment) -> dict[str, Any]:
    """What tells later whether anything was written since. To be asked in the transaction of the import, at its end."""
    if not told.how or counts["rejected"] or counts["rows"] < LARGE:
        return {}
    stood = {name: rows(_stands(name))[0] for name in _TABLES[mapping.kind]}
    return {**begun._asdict(), "how": told.how, "stood": stood}


def _stands(table: str) -> Composable:
    return SQL("SELECT count(*), coalesce(bit_xor({row}), 0), coalesce(max(id), 0) FROM {table}").format(
        row=_row(table), table=Identifier(table)
    )


def _row(table: str) -> Composable:
    """A number for a row; those of all rows together tell whether any is gone, or a customer has another id."""
    return SQL("hashtextextended(external_id, id)" if table == "customers_customer" else "id")


def repeated(mapping: Mapping, told: Told) -> dict[str, Any] | None:
    """The summary of an import that would only repeat an earlier one of this fingerprint; None where it might not."""
    before = _marked().filter(kind=mapping.kind, mark__how=told.how).first() if told.how else None
    if before is None or before.fingerprint != told.file or not _is_worth_it(mapping, before.mark):
        return None
    if written(before.mark) != {}:
        return None
    return {name: _as_it_was(value) for name, value in before.mark["summary"].items()} | {"consents": 0}


def latest(mapping: Mapping, told: Told) -> Import | None:
    """The last import that was read in this way and can be compared with."""
    before = compared_with().filter(kind=mapping.kind, mark__how=told.how).first()
    return before if before and _is_worth_it(mapping, before.mark) else None


def compared_with() -> QuerySet[Import]:
    """Of imports that are read in the same way the last one each, with whose file the next one can be compared."""
    return _marked().filter(mark__summary__repeated=0).exclude(file="")


def _marked() -> QuerySet[Import]:
    """Of imports that are read in the same way the last one each that left a mark."""
    own = Cast(KT("mark__own"), BigIntegerField())
    marked = Import.objects.filter(mark__has_key="how").order_by("kind", "mark__how", own.desc())
    return marked.distinct("kind", "mark__how")


def touched(mark: dict[str, Any], most: int) -> set[str] | None:
    """The ids of customers who or whose consents were written since, also of before a merge.

    None where rows of other tables were written, or more than `most`.
    """
    since = written(mark)
    if since is None or set(since) - set(_OF_CUSTOMERS) or sum(since.values()) > most:
        return None
    return {name for (name,) in rows(_TOUCHED, **_since(mark))} if since else set()


def written(mark: dict[str, Any]) -> dict[str, int] | None:
    """How many rows of which tables were written since; None where any is gone, or that cannot be told."""
    if now().cluster != mark["cluster"]:
        return None
    result = {}
    for name, (count, mixed, last) in mark["stood"].items():
        ((still, still_mixed, written),) = rows(_written(name), last=last, **_since(mark))
        if (still, still_mixed) != (count, mixed):
            return None
        if written:
            result[name] = written
    return result


def _since(mark: dict[str, Any]) -> dict[str, str]:
    return {"horizon": mark["horizon"], "own": mark["own"]}


_NEWER = "(age({0}.xmin) <= age(%(horizon)s::xid8::xid) AND {0}.xmin <> %(own)s::xid8::xid)"


def _written(table: str) -> Composable:
    return SQL(
        "SELECT count(*) FILTER (WHERE id <= %(last)s), coalesce(bit_xor({row}) FILTER (WHERE id <= %(last)s), 0),"
        " count(*) FILTER (WHERE {newer}) FROM {table} AS stands"
    ).format(row=_row(table), newer=SQL(_NEWER).format(SQL("stands")), table=Identifier(table))


_TOUCHED = f"""
    WITH touched AS (
        SELECT id, external_id FROM customers_customer AS customer WHERE {_NEWER.format("customer")}
        UNION
        SELECT customer.id, external_id FROM customers_consent AS consent JOIN customers_customer AS customer
            ON customer.id = consent.customer_id WHERE {_NEWER.format("consent")})
    SELECT external_id FROM touched
    UNION
    SELECT former.external_id FROM customers_formerid AS former JOIN touched ON touched.id = former.customer_id
"""  # noqa: S608 - constants of this module


def _is_worth_it(mapping: Mapping, mark: dict[str, Any]) -> bool:
    ((total,),) = rows(
        "SELECT coalesce(sum(reltuples), 0) FROM pg_class WHERE relname = ANY(%(tables)s)",
        tables=list(_TABLES[mapping.kind]),
    )
    return bool(total <= WORTH * mark["summary"]["rows"])


def _as_it_was(value: Any) -> Any:
    """A count of what became of rows, where nothing did."""
    if not isinstance(value, dict) or "named" not in value:
        return value
    return {"named": value["named"], "created": 0, "updated": 0, "removed": 0, "unchanged": value["named"]}
