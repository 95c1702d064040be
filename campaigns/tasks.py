"""Thin tasks: each wakes a function that does what is due, and does nothing where another worker is at it."""

from celery import shared_task

from campaigns import life, sweeping
from campaigns.delivery import running
from retention.workspace import jobs

DELIVER_SECONDS = 240.0

__all__ = ["deliver", "life", "route", "sweep"]


@shared_task
def route() -> None:
    if sweeping.route_all():
        jobs.wake(deliver.name)


@shared_task
def deliver() -> None:
    running.deliver(DELIVER_SECONDS)


@shared_task
def sweep() -> None:
    sweeping.keep_up()
