"""Running an import as a job: read, judge, merge; or try all of it and take it back.

Reading and judging fill temporary tables and touch nothing else; the merge is one transaction. So a job that is killed,
cancelled or refused at any moment has changed nothing, and may be begun again.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from django.db import transaction

from customers.ingest import (
    former_ids,
    merging,
    merging_cases,
    merging_contacts,
    merging_events,
    merging_interactions,
    merging_orders,
    merging_products,
    merging_subscriptions,
    merging_tasks,
    nearly,
    policies,
    refused,
    rehearsal,
    staging,
    unchanged,
)
from customers.ingest.fields import OF_KNOWN, WITH_ORDERS
from customers.ingest.mapping import Mapping, MappingRefused, check, from_json
from customers.ingest.merging import Circumstances, Tally
from customers.ingest.nearly import Staged
from customers.ingest.reader import FileRefused, Reader
from customers.ingest.rehearsal import Rehearsed, rehearsed
from customers.ingest.statements import number, rows, run
from customers.ingest.unchanged import Moment, Told
from customers.models import Import
from customers.models.imports import ImportKind
from customers.records.consent import FROM_FILE
from retention.common import clock
from retention.workspace.jobs import JobFailed, Progress, job
from retention.workspace.models import Workspace

JOB = "import"
ANALYZE_FROM = 10_000  # rows written that change what PostgreSQL should know about its tables
#: How often a file is read while customers may be merged; after that, merges have to wait for it.
TRIES = 2
_CREDIT_NOTES = "SELECT count(*) FROM import_orders WHERE amount < 0 AND customer_id IS NOT NULL"
_WRITTEN = """
    SELECT coalesce(sum(last - first + 1), 0) FROM customers_importchange WHERE run_id = %(run)s AND at = %(at)s
"""
#: What tells whether anything was written reads the tables through: then they are at hand, wherever they are kept.
_HAVE_BEEN_READ = "SET LOCAL random_page_cost = 1.1"
_AMOUNTS = "SELECT currency, sum(amount) FROM import_orders GROUP BY currency ORDER BY currency"


class _Done(NamedTuple):
    """The summary, what a trial shows, and how many rows were written."""

    summary: dict[str, Any]
    shown: Rehearsed
    written: int


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
    told = unchanged.told(Path(imported.file.path), mapping, Workspace.current())
    if again := unchanged.repeated(mapping, told):
        progress.step(again["rows"], again["rows"], "Nothing was written since it came in before")
        rehearsal.keep(imported, Rehearsed({}, []))
        return again
    done = _only_what_differs(imported, mapping, told, progress) or _all_of_it(imported, mapping, told, progress)
    rehearsal.keep(imported, done.shown)
    if done.written >= ANALYZE_FROM and not imported.dry_run:
        run("ANALYZE customers_orderline (order_id, position, sku), customers_event (customer_id, kind, occurred_at)")
    return done.summary


def _only_what_differs(imported: Import, mapping: Mapping, told: Told, progress: Progress) -> _Done | None:
    """Merge the few lines that are not as they came in before; None where all are to be compared."""
    if not nearly.is_possible(mapping, told):
        return None
    progress.step(0, None, "Looking for what is new in it")
    with transaction.atomic():
        merging.take_turn()
        run(_HAVE_BEEN_READ)
        begun = unchanged.now()
        staged = nearly.stage(imported, mapping, told, Workspace.current().time_zone)
        return _merged(imported, mapping, told, begun, staged, progress) if staged else None


def _all_of_it(imported: Import, mapping: Mapping, told: Told, progress: Progress) -> _Done:
    """Read anew where customers were made one, or two again, while it was read: its rows are about those of today."""
    readings = 0
    while True:
        with merging.turn_kept() if readings == TRIES else nullcontext():
            merges = former_ids.merges()
            staged = _stage(imported, mapping, Workspace.current().time_zone, progress)
            progress.step(staged.rows, staged.rows, "Trying it out" if imported.dry_run else "Merging")
            with transaction.atomic():
                merging.take_turn()
                if former_ids.merges() == merges:
                    return _merged(imported, mapping, told, unchanged.now(), staged, progress)
        refused.forget(imported)
        readings += 1


def _stage(imported: Import, mapping: Mapping, zone: str, progress: Progress) -> Staged:
    """Read, judge, and keep what is refused."""
    path = Path(imported.file.path)
    with Reader(path, mapping.layout) as reader:
        check(mapping, reader.columns)
        staged = staging.stage(reader, reader.columns, mapping, zone, partial(_report, reader, progress))
    refusals = staging.refusals()
    if refusals:
        progress.step(staged, staged, "Keeping the refused rows")
        with Reader(path, mapping.layout) as again:
            refused.keep(imported, again)
    if refusals == staged:
        raise JobFailed(_nothing_to_merge(staged))
    return Staged(staged, refusals, 0, reader.columns)


def _merged(imported: Import, mapping: Mapping, told: Told, begun: Moment, staged: Staged, progress: Progress) -> _Done:
    """Merge what is staged, in the transaction at hand; a trial is rolled back."""
    circumstances = Circumstances(
        imported.pk,
        clock.now(),
        imported.filename[:100],
        f"{proof_of(imported)} {imported.filename}"[:300],
        Workspace.current().currency,
        mapping.policy,
        tuple(mapping.fields) if mapping.empties else (),
        tuple(channel for channel, field in merging.CONSENTS.items() if field in mapping.fields),
    )
    counts = {"rows": staged.rows, "rejected": staged.rejected}
    summary: dict[str, Any] = {"left_out": policies.apply(mapping.kind, mapping.policy)}
    summary |= _merge(mapping.kind, circumstances, progress)
    if staged.kept:
        for what in ("named", "unchanged"):
            summary[ImportKind.CUSTOMERS][what] += staged.kept
    written = number(_WRITTEN, run=imported.pk, at=circumstances.at)
    shown = rehearsed(imported, circumstances.at) if imported.dry_run else Rehearsed({}, [])
    summary = counts | _reckoned(mapping.kind, counts, summary)
    summary |= {"unused": mapping.unused(staged.columns), "fields": shown.fields}
    mark = unchanged.marked(mapping, told, counts, begun)
    mark = mark | {"summary": summary} if mark else {}
    Import.objects.filter(pk=imported.pk).update(fingerprint=told.file, mark=mark)
    transaction.set_rollback(imported.dry_run)
    return _Done(summary, shown, written)


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
    if kind not in (ImportKind.PRODUCTS, *OF_KNOWN):
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
    ImportKind.INTERACTIONS: {"interactions": merging_interactions.merge_interactions},
    ImportKind.TASKS: {"tasks": merging_tasks.merge_tasks},
    ImportKind.EVENTS: {"events": merging_events.merge_events},
}
