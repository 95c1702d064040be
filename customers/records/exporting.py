"""The list as a CSV file: what it shows, in its order, all of it."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from customers.custom.definitions import defined
from customers.models import Customer
from customers.records.columns import chosen, offered
from customers.records.filters import Filters, matching
from customers.records.listing import Cut, count
from customers.records.ordering import in_order
from customers.records.rows import AT_A_TIME, cells, header
from retention.common import clock
from retention.common.spreadsheet import written
from retention.workspace.jobs import OPEN, Progress, job
from retention.workspace.models import Job, Workspace
from retention.workspace.people import zone_of

KEPT = timedelta(days=7)
"""A file full of customers lies about no longer than that."""


def lines(customers: QuerySet[Customer], asked: QueryDict) -> Iterator[str]:
    """CSV lines in the order and with the columns that are asked for, read from the database a part at a time."""
    fields = defined()
    cut = Cut.read(asked, fields)
    rows = in_order(customers, cut.order, down=cut.down).values(*cut.paths).iterator(chunk_size=AT_A_TIME)
    extras = chosen(cut.columns, offered(fields))
    return written(header(extras), cells(rows, Workspace.current().currency, extras))


def path_of(row: Job) -> Path:
    """Where the file of an export job is."""
    return Path(settings.MEDIA_ROOT) / "exports" / f"{row.pk}.csv"


@job("customers.export")
def run(progress: Progress) -> dict[str, Any]:
    """Spec: `query`, the list's query string. Whole or not at all: the file gets its name once it is complete."""
    query = QueryDict(progress.job.spec["query"])
    customers = matching(Filters.read(query))
    path = path_of(progress.job)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    by = progress.job.created_by
    workspace = Workspace.current()
    with timezone.override(zone_of(by, workspace) if by else workspace.zone), draft.open("w", encoding="utf-8") as file:
        rows = _pour(lines(customers, query), file, progress, count(customers).number)
    draft.rename(path)
    return {"rows": rows}


def forget_old() -> int:
    """Delete the files of exports that ended a while ago, and what killed ones left. Gives how many."""
    wanted = Q(finished_at__gt=clock.now() - KEPT) | Q(state__in=OPEN)
    keep = set(Job.objects.filter(wanted, kind="customers.export").values_list("pk", flat=True))
    old = [path for path in path_of(Job()).parent.glob("*.*") if not _is_of(path, keep)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _is_of(path: Path, jobs: set[uuid.UUID]) -> bool:
    try:
        return uuid.UUID(path.stem) in jobs
    except ValueError:
        return False


def _pour(text: Iterator[str], file: Any, progress: Progress, total: int) -> int:
    file.write(next(text))
    file.write(next(text))
    done = 0
    for done, line in enumerate(text, start=1):
        file.write(line)
        if done % AT_A_TIME == 0:
            progress.step(done, max(done, total), "Writing rows")
    return done
