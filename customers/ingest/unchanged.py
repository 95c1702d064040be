"""A large file that comes again, word for word, while nobody has touched what it is about: then nothing is to be done.

What an import writes is marked with its transaction. As long as no row of the tables it compared with was written by
another one since, and none is gone, every comparison would come out as before. A row that somebody wrote in any of
them leads to the whole comparison; so does a row that was refused, for what refused it may have passed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from psycopg.sql import SQL, Composable, Identifier

from customers.ingest.mapping import Mapping
from customers.ingest.policies import BOTH
from customers.ingest.statements import number, rows
from customers.models import Import
from customers.models.imports import ImportKind
from retention.workspace.models import Workspace

LARGE = 10_000  # rows of a file, below which comparing takes no time
WORTH = 20  # rows in the tables for one in the file, above which looking through them does not pay
_BESIDE = ("customers_customer", "customers_consent", "customers_formerid", "customers_customfield")
_TABLES: dict[str, tuple[str, ...]] = {
    ImportKind.CUSTOMERS: (*_BESIDE, "customers_team"),
    ImportKind.ORDERS: (*_BESIDE, "customers_order"),
    ImportKind.ORDER_LINES: (*_BESIDE, "customers_order", "customers_orderline"),
}


def fingerprint(path: Path, mapping: Mapping, workspace: Workspace) -> str:
    """The same for the same bytes read in the same way; "" where a repetition is not looked for."""
    if mapping.kind not in _TABLES or mapping.policy != BOTH or "owner_id" in mapping.fields:
        return ""
    how = json.dumps([mapping.to_json(), workspace.time_zone, workspace.currency], sort_keys=True)
    with path.open("rb") as file:
        return hashlib.sha256(hashlib.file_digest(file, "sha256").digest() + how.encode()).hexdigest()


def marked(mapping: Mapping, counts: dict[str, int]) -> dict[str, Any]:
    """What tells later whether anything was written since. To be asked in the transaction of the import, at its end.

    Transactions that are open now may yet write: the mark is the oldest of them, and this one is let pass.
    """
    if mapping.kind not in _TABLES or counts["rejected"] or counts["rows"] < LARGE:
        return {}
    ((horizon, own, cluster),) = rows(_NOW)
    tables = _TABLES[mapping.kind]
    found = {name: number(SQL("SELECT count(*) FROM {}").format(Identifier(name))) for name in tables}
    return {"horizon": horizon, "own": own, "cluster": cluster, "counts": found}


# Transactions are counted by the cluster: a database that was restored into another one begins anew.
_NOW = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_current_xact_id()::text, system_identifier::text
    FROM pg_control_system()
"""


def repeated(mapping: Mapping, told: str) -> dict[str, Any] | None:
    """The summary of an import that would only repeat an earlier one of this fingerprint; None where it might not."""
    before = Import.objects.filter(fingerprint=told).exclude(mark={}).order_by("-pk").first()
    if not told or before is None or not _is_worth_it(mapping, before.mark):
        return None
    ((_, _, cluster),) = rows(_NOW)
    if cluster != before.mark["cluster"]:
        return None
    for name, count in before.mark["counts"].items():
        stands = rows(_written_since(name), horizon=before.mark["horizon"], own=before.mark["own"])
        if stands != [(count, 0)]:
            return None
    return {name: _as_it_was(value) for name, value in before.mark["summary"].items()} | {"consents": 0}


def _is_worth_it(mapping: Mapping, mark: dict[str, Any]) -> bool:
    ((total,),) = rows(
        "SELECT coalesce(sum(reltuples), 0) FROM pg_class WHERE relname = ANY(%(tables)s)",
        tables=list(_TABLES[mapping.kind]),
    )
    return bool(total <= WORTH * mark["summary"]["rows"])


def _written_since(table: str) -> Composable:
    return SQL("""
        SELECT count(*), count(*) FILTER (
            WHERE age(xmin) <= age(%(horizon)s::xid8::xid) AND xmin <> %(own)s::xid8::xid) FROM {}
    """).format(Identifier(table))


def _as_it_was(value: Any) -> Any:
    """A count of what became of rows, where nothing did."""
    if not isinstance(value, dict) or "named" not in value:
        return value
    return {"named": value["named"], "created": 0, "updated": 0, "removed": 0, "unchanged": value["named"]}
