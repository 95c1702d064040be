"""Bringing text in, the whole way: a file, a mapping, a job."""

import io
from typing import Any

from django.db import connection

from customers.ingest.imports import start, take_in
from customers.ingest.mapping import Mapping, from_json
from customers.models import Import
from retention.workspace import jobs
from retention.workspace.models import Job

CUSTOMERS: dict[str, Any] = {
    "kind": "customers",
    "fields": {name: {"column": name} for name in ("customer_id", "name", "email", "joined_at", "tags", "consent")},
}
ORDERS: dict[str, Any] = {
    "kind": "orders",
    "fields": {
        name: {"column": name} for name in ("order_id", "customer_id", "ordered_at", "amount", "currency", "email")
    },
}
LINES: dict[str, Any] = {
    "kind": "order_lines",
    "fields": {
        name: {"column": name} for name in ("order_id", "customer_id", "ordered_at", "sku", "quantity", "unit_price")
    },
    "states": [{"state": "cancelled", "column": "order_id", "test": "starts with", "value": "C"}],
}


def mapping(base: dict[str, Any], **parts: Any) -> Mapping:
    """A mapping of columns named for their fields, with parts of it replaced."""
    return from_json(base | parts)


def bring(how: Mapping, text: str | bytes, *, dry_run: bool = False) -> tuple[Job, Import]:
    content = text if isinstance(text, bytes) else text.encode()
    taken = take_in(io.BytesIO(content), "file.csv", how)
    return again(taken, dry_run=dry_run), taken


def again(taken: Import, *, dry_run: bool = False) -> Job:
    """Run the import (once more)."""
    job = start(taken, dry_run=dry_run)
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def done(how: Mapping, text: str | bytes) -> dict[str, Any]:
    """The summary of an import that succeeds."""
    job, _ = bring(how, text)
    assert job.state == Job.State.DONE, job.error
    return dict(job.summary)


def failed(how: Mapping, text: str | bytes) -> str:
    """The error of an import that fails."""
    job, _ = bring(how, text)
    assert job.state == Job.State.FAILED
    return job.error


def refusals(taken: Import) -> list[tuple[int, str, str]]:
    return list(taken.rejected.order_by("line").values_list("line", "reason", "original"))


TABLES = ("customer", "consent", "order", "orderline", "event", "dirty")


def versions(*, locks: bool = True) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables an import writes: its place, who wrote it last, and who locked it last."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            locked = ", xmax::text" if locks else ""
            cursor.execute(f"SELECT id, ctid::text, xmin::text{locked} FROM customers_{table} ORDER BY id")
            found[table] = cursor.fetchall()
    return found
