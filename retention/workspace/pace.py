"""How fast a job goes and how long it will yet take."""

from dataclasses import dataclass
from datetime import datetime

from retention.workspace.models import Job


@dataclass(frozen=True)
class Pace:
    """`rate` in units per second; `left` in seconds, None where the whole or the rate is not known."""

    rate: float
    left: int | None


def pace(job: Job, now: datetime) -> Pace | None:
    """The mean pace since the job began; None before it has got anywhere, and once what is left cannot be counted."""
    if job.started_at is None or not job.done or (job.open and job.done == job.total):
        return None
    seconds = ((job.finished_at or now) - job.started_at).total_seconds()
    if seconds <= 0:
        return None
    rate = job.done / seconds
    return Pace(rate, round((job.total - job.done) / rate) if job.total and job.open else None)
