"""A large file of customers as a job: read, looked up part by part, and decided about in one transaction.

Where mail would follow, nothing is changed until somebody agrees to it: the file is kept until then.
"""

import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from customers.models import HandChange
from customers.segments import by_hand, list_files
from customers.segments.list_files import FileRefused, Found
from retention.workspace.jobs import JobFailed, Progress, enqueue, job
from retention.workspace.models import Job, User

JOB = "segment.list"
AT_A_TIME = 20_000


def later(change: HandChange, file: "UploadedFile[bytes]") -> Job:
    """Keep the file, and have what a change not yet stored says done with whom it names."""
    name = uuid.uuid4().hex
    _folder().mkdir(parents=True, exist_ok=True)
    with _path(name).open("wb") as kept:
        kept.writelines(file.chunks())
    spec = {"segment": change.segment_id, "act": change.act, "reason": change.reason, "file": name, "agreed": 0}
    return enqueue(JOB, f"{change.get_act_display()}: {file.name}"[:200], {**spec, "name": file.name}, change.by)


def agree(asked: Job, customers: int, by: User) -> Job | None:
    """Do it now that somebody agreed to mail for so many customers; None where the file is no longer there."""
    if not _path(asked.spec["file"]).exists():
        return None
    return enqueue(JOB, asked.title, {**asked.spec, "agreed": customers}, by)


@job(JOB)
def run(progress: Progress) -> dict[str, Any]:
    """Its summary: customers changed, found, and entries that are nobody's; or what mail it `asks` about."""
    spec = progress.job.spec
    try:
        values = list_files.read(_path(spec["file"]).read_bytes(), list_files.LARGE)
    except FileNotFoundError as gone:
        raise JobFailed("The file is no longer there. Bring it again.") from gone
    except FileRefused as refusal:
        _forget(spec["file"])
        raise JobFailed(str(refusal)) from refusal
    found = _found(values, progress)
    change = HandChange(segment_id=spec["segment"], act=spec["act"], reason=spec["reason"], by=progress.job.created_by)
    progress.step(len(values), len(values), "Looking at what would follow")
    follows = by_hand.foresee(change, found.customer_ids)
    if sum(each.customers for each in follows) > spec["agreed"]:
        return {"asks": [asdict(each) for each in follows], "customers": sum(each.customers for each in follows)}
    progress.step(len(values), len(values), "Deciding")
    change.file_name, change.unmatched = spec["name"][:200], found.unmatched
    by_hand.decide(change, found.customer_ids)
    _forget(spec["file"])
    return {
        "change": change.pk,
        "changed": change.customers,
        "found": len(found.customer_ids),
        "not_found": len(found.unmatched),
    }


def _found(values: list[str], progress: Progress) -> Found:
    ids: set[int] = set()
    unmatched: list[str] = []
    for start in range(0, len(values), AT_A_TIME):
        progress.step(start, len(values), "Looking for the customers")
        part = list_files.find(values[start : start + AT_A_TIME])
        ids.update(part.customer_ids)
        unmatched += part.unmatched
    return Found(sorted(ids), unmatched)


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "lists"


def _path(name: str) -> Path:
    return _folder() / f"{name}.csv"


def _forget(name: str) -> None:
    _path(name).unlink(missing_ok=True)
