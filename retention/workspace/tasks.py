"""Thin tasks: each wakes a function that does what is due."""

import uuid

from celery import shared_task

from retention.workspace import jobs


@shared_task
def run_job(job_id: str) -> None:
    jobs.run(uuid.UUID(job_id))


@shared_task
def resume_jobs() -> None:
    for job_id in jobs.due():
        jobs.nudge(job_id)
