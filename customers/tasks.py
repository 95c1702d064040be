"""Thin tasks; and where Celery looks for this room's kinds of job: importing a module registers them."""

from celery import shared_task

from customers.cases import bulk as cases_bulk
from customers.duplicates import finding
from customers.facts import dirty
from customers.health import recomputing
from customers.ingest import running, stored
from customers.ingest.undo import running as undoing
from customers.playbooks import many
from customers.records import bulk, exporting
from customers.segments import list_job, membership, saving

__all__ = ["bulk", "cases_bulk", "exporting", "list_job", "many", "recomputing", "running", "saving", "undoing"]


@shared_task
def look_again() -> None:
    """Once a night: everybody against every segment, whoever came in without facts, files that have had their time."""
    exporting.forget_old()
    stored.forget_old()
    dirty.mark_unfolded()
    membership.refresh()


@shared_task
def look_for_duplicates() -> None:
    """Compare whoever was made or changed since the last time."""
    finding.look_for(seconds=50)
