"""Running an import as a job: read, judge, merge; or try all of it and take it back.

Reading and judging fill temporary tables and touch nothing else; the merge is one transaction. So a job that is killed,
cancelled or refused at any moment has changed nothing, and may be begun again.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction

from customers.ingest import (
    merging,
    merging_cases,
    merging_contacts,
    merging_orders,
    merging_products,
    merging_subscriptions,
    policies,
    refused,
    rehearsal,
    staging,
    unchanged,
)
from customers.ingest.fields import WITH_ORDERS
from customers.ingest.mapping import Mapping, MappingRefused, check, from_json
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.reader import FileRefused, Reader
from customers.ingest.rehearsal import Rehearsed, rehearsed
from customers.ingest.statements import number, rows, run
from customers.models import Import
from customers.models.imports import ImportKind
from customers.records.consent import FROM_FILE
from retention.common import clock
from retention.workspace.jobs import JobFailed, Progress, job
from retention.workspace.models import Workspace

JOB = "import"
ANALYZE_FROM = 10_000  # rows written that change what PostgreSQL should know about its tables
_CREDIT_NOTES = "SELECT count(*) FROM import_orders WHERE amount < 0 AND customer_id IS NOT NULL"
_WRITTEN = """
    SELECT coalesce(sum(last - first + 1), 0) FROM customers_importchange WHERE run_id = %(run)s AND at = %(at)s
"""
_AMOUNTS = "SELECT currency, sum(amount) FROM import_orders GROUP BY currency ORDER BY currency"


@job(JOB)
def run_import(progress: Progress) -> dict[str, Any]:
    """Do the import that the job names; its summary counts rows, customers and what else it brings.

    Raises JobFailed where the file or its mapping cannot be used, or no row of it can.
    """
    imported = Import.objects.get(pk=progress.job.spec["import"])
    refused.forget(imported)
    try:
        return _import(imported, from_json(imported.spec), progress)
    except (FileRefused, MappingRefused) as reason:
        raise JobFailed(f"{reason} Nothing was brought in.") from reason
    finally:
        staging.clear()


def _import(imported: Import, mapping: Mapping, progress: Progress) -> dict[str, Any]:
    workspace = Workspace.current()
    told = unchanged.fingerprint(Path(imported.file.path), mapping, workspace)
    if again := unchanged.repeated(mapping, told):
        progress.step(again["rows"], again["rows"], "Nothing was written since it came in before")
        rehearsal.keep(imported, Rehearsed({}, []))
        return again
    counts, unused = _stage(imported, mapping, workspace.time_zone, progress)
    staged = counts["rows"]
    progress.step(staged, staged, "Trying it out" if imported.dry_run else "Merging")
    circumstances = Circumstances(
        imported.pk,
        clock.now(),
        imported.filename[:100],
        f"{proof_of(imported)} {imported.filename}"[:300],
        workspace.currency,
        mapping.policy,
        tuple(mapping.fields) if mapping.empties else (),
    )
    with transaction.atomic():
        merging.take_turn()
        summary = {"left_out": policies.apply(mapping.kind, mapping.policy)}
        summary |= _merge(mapping.kind, circumstances, progress)
        written = number(_WRITTEN, run=imported.pk, at=circumstances.at)
        shown = rehearsed(imported, circumstances.at) if imported.dry_run else Rehearsed({}, [])
        summary = counts | _reckoned(mapping.kind, counts, summary) | {"unused": unused, "fields": shown.fields}
        _mark(imported, told, unchanged.marked(mapping, counts), summary)
        transaction.set_rollback(imported.dry_run)
    rehearsal.keep(imported, shown)
    if written >= ANALYZE_FROM and not imported.dry_run:
        run("ANALYZE customers_orderline (order_id, position, sku), customers_event (customer_id, kind, occurred_at)")
    return summary


def _stage(imported: Import, mapping: Mapping, zone: str, progress: Progress) -> tuple[dict[str, int], list[str]]:
    """Read, judge, and keep what is refused. Returns the counts, and the columns that nothing reads."""
    path = Path(imported.file.path)
    with Reader(path, mapping.layout) as reader:
        check(mapping, reader.columns)
        staged = staging.stage(reader, reader.columns, mapping, zone, partial(_report, reader, progress))
    counts = {"rows": staged, "rejected": staging.refusals()}
    if counts["rejected"]:
        progress.step(staged, staged, "Keeping the refused rows")
        with Reader(path, mapping.layout) as again:
            refused.keep(imported, again)
    if counts["rejected"] == staged:
        raise JobFailed(_nothing_to_merge(staged))
    return counts, mapping.unused(reader.columns)


def _mark(imported: Import, told: str, mark: dict[str, Any], summary: dict[str, Any]) -> None:
    mark = mark | {"summary": summary} if mark and told else {}
    Import.objects.filter(pk=imported.pk).update(fingerprint=told, mark=mark)


def proof_of(imported: Import) -> str:
    """What the proof of every consent begins with that this import brought."""
    return f"{FROM_FILE}{imported.pk}:"


def _reckoned(kind: str, counts: dict[str, int], summary: dict[str, Any]) -> dict[str, Any]:
    """The summary with how the rows add up: rows = taken + repeated + left out + rejected."""
    taken = summary["lines" if kind == ImportKind.ORDER_LINES else kind]["named"]
    repeated = counts["rows"] - counts["rejected"] - summary["left_out"] - taken
    return summary | {"taken": taken, "repeated": repeated}


def _report(reader: Reader, progress: Progress, staged: int) -> None:
    """Say how far the reading is; how many rows the file holds is reckoned from the share of it that was read."""
    progress.step(staged, max(staged, round(staged / reader.share_read)), "Reading the file")


def _nothing_to_merge(staged: int) -> str:
    if not staged:
        return "The file has a header line and no rows."
    return f"None of the {staged:,} rows can be used. The reasons are listed with the rows. Nothing was brought in."


def _merge(kind: str, circumstances: Circumstances, progress: Progress) -> dict[str, Any]:
    if kind == ImportKind.CONTACTS:
        progress.stop_if_asked()
        return merging_contacts.merge_contacts(circumstances)
    summary: dict[str, Any] = {}
    tallies: dict[str, Tally] = {}
    if kind in WITH_ORDERS:
        summary["credit_notes"] = number(_CREDIT_NOTES)
        summary["amounts"] = {currency or circumstances.currency: str(total) for currency, total in rows(_AMOUNTS)}
    progress.stop_if_asked()
    if kind != ImportKind.PRODUCTS:
        tallies["customers"] = merging.merge_customers(kind, circumstances)
        summary["consents"] = merging.merge_consents(circumstances)
    for noun, merge in _MERGES.get(kind, {}).items():
        progress.stop_if_asked()
        tallies[noun] = merge(circumstances)
    progress.stop_if_asked()
    return summary | {name: tally.to_json() for name, tally in tallies.items()}


#: What a kind of file brings beside customers, in the order in which it is merged.
_MERGES: dict[str, dict[str, Callable[[Circumstances], Tally]]] = {
    ImportKind.ORDERS: {"orders": merging_orders.merge_orders},
    ImportKind.ORDER_LINES: {
        "orders": merging_orders.merge_orders,
        "lines": merging_orders.merge_lines,
    },
    ImportKind.SUBSCRIPTIONS: {"subscriptions": merging_subscriptions.merge_subscriptions},
    ImportKind.PRODUCTS: {"products": merging_products.merge_products},
    ImportKind.CASES: {"cases": merging_cases.merge_cases},
}
