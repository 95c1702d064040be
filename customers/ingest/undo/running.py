"""Taking an import back, as a job: judged and done in one transaction, or tried and rolled back.

A job that is killed, cancelled or refused at any moment has changed nothing, and may be begun again. A second undo
finds only what the first had to leave.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from customers.facts import folding
from customers.ingest import merging
from customers.ingest.running import proof_of
from customers.ingest.statements import number, rows
from customers.ingest.undo import judging, later, restoring
from customers.ingest.undo.kinds import KINDS, Kind
from customers.models import Import, ImportChange, ImportKept, Segment
from retention.common import clock
from retention.workspace.jobs import JobFailed, Progress, job

JOB = "import_undo"
#: So many of the rows that would stay are named by a trial.
MOST = 1_000


@job(JOB)
def run_undo(progress: Progress) -> dict[str, Any]:
    """Take back the import that the job names, or try to (`dry_run`).

    Its summary counts the rows removed, changed back and kept by table, those kept by reason, and the customers on
    whose timeline it stands. Raises JobFailed where a later import built on its rows.
    """
    imported = Import.objects.get(pk=progress.job.spec["import"])
    dry_run = bool(progress.job.spec["dry_run"])
    total = number(_ROWS, run=imported.pk)
    progress.step(0, total, "Trying to take it back" if dry_run else "Taking it back")
    try:
        with transaction.atomic():
            summary = _undo(imported, total, progress)
            staying = list(ImportKept.objects.filter(run=imported).order_by("pk")[:MOST]) if dry_run else []
            transaction.set_rollback(dry_run)
    except later.BuiltUpon as reason:
        raise JobFailed(f"{reason} Nothing was taken back.") from reason
    if dry_run and imported.undone_at is None:
        _foresee(imported, staying)
    return summary | {"dry_run": dry_run, "rows": total}


def _foresee(imported: Import, staying: list[ImportKept]) -> None:
    """Keep which rows would stay, now that the trial is rolled back; those of an earlier one go."""
    with transaction.atomic():
        ImportKept.objects.filter(run=imported).delete()
        ImportKept.objects.bulk_create(
            ImportKept(run=imported, noun=row.noun, row_id=row.row_id, name=row.name, reason=row.reason)
            for row in staying
        )


_ROWS = "SELECT coalesce(sum(last - first + 1), 0) FROM customers_importchange WHERE run_id = %(run)s"
_REASONS = """
    SELECT reason, count(*) FROM customers_importkept WHERE run_id = %(run)s
    GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 20
"""


def _undo(imported: Import, total: int, progress: Progress) -> dict[str, Any]:
    _take_turns()
    later.check(imported)
    ImportKept.objects.filter(run=imported).delete()
    restoring.begin()
    params = {"run": imported.pk, "now": clock.now(), "proof": proof_of(imported), "file": imported.filename}
    counts: dict[str, dict[str, int]] = {}
    done = 0
    for at in _instants(imported):
        for kind in KINDS:
            if found := _undo_kind(kind, params | {"at": at}, counts):
                done += found
                progress.step_aside(done, total, f"Taken back: {kind.plural}")
    customers = restoring.tell(params)
    Import.objects.filter(pk=imported.pk).update(undone_at=params["now"])
    return {"tables": counts, "customers": customers, "reasons": dict(rows(_REASONS, run=imported.pk))}


def _take_turns() -> None:
    """Wait for whoever imports, folds or refreshes: in the order in which a merge of two customers waits for them.

    They write rows that name customers, which here are locked, and hold events and segments, which here change.
    """
    merging.take_turn()
    folding.take_turn()
    list(Segment.objects.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _instants(imported: Import) -> list[datetime]:
    """When the import was run and changed something, the latest first."""
    runs = ImportChange.objects.filter(run=imported).order_by("-at")
    return list(runs.values_list("at", flat=True).distinct())


def _undo_kind(kind: Kind, params: dict[str, Any], counts: dict[str, dict[str, int]]) -> int:
    """Take back what one run did to one table, and add to the counts what became of its rows. Returns how many."""
    found = judging.gather(kind, params)
    if found:
        judging.judge(kind, params)
        sums = counts.setdefault(kind.plural, {})
        for what, count in restoring.restore(kind, params).items():
            sums[what] = sums.get(what, 0) + count
    return found
