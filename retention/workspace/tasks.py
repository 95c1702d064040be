"""Thin tasks: each wakes a function that does what is due."""

import uuid

from celery import shared_task

from retention.common.alone import JOBS, alone
from retention.workspace import jobs, orphans
from retention.workspace.api import repeating

JOBS_AT_ONCE = 2
JOB_SECONDS = 24 * 3600
"""A large import takes its time; killed at the limit of other tasks it would begin again for ever. Where the broker
gives the message to another worker meanwhile, that one finds the job held and lets it be."""


@shared_task(time_limit=JOB_SECONDS)
def run_job(job_id: str) -> None:
    """Run a job, or leave it waiting where enough are run: long ones must not keep everything else from the workers."""
    with alone(JOBS, JOBS_AT_ONCE) as free:
        if free:
            jobs.run(uuid.UUID(job_id))
    if free:
        jobs.nudge_next()


@shared_task
def forget_answers() -> None:
    repeating.forget()


@shared_task
def sweep_files() -> None:
    orphans.sweep()


@shared_task
def resume_jobs() -> None:
    for job_id in jobs.due():
        jobs.nudge(job_id)
