"""Is it alive, and is it ready? JSON for load balancers and watchers: no sign-in, no personal data.

A room says how much of its work waits with `@backlog("name")` on a function that counts it.
"""

from collections.abc import Callable
from typing import Any

from celery import current_app
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from retention.workspace.jobs import OPEN
from retention.workspace.models import Job
from retention.workspace.roles import public

Count = Callable[[], int]
_backlogs: dict[str, Count] = {}

#: Seconds to wait for the broker.
BROKER_WITHIN = 2


def backlog(name: str) -> Callable[[Count], Count]:
    """Register how much work of a kind waits. The count may stop where more would be no news."""

    def register(count: Count) -> Count:
        _backlogs[name] = count
        return count

    return register


@backlog("jobs")
def open_jobs() -> int:
    return Job.objects.filter(state__in=OPEN).count()


@never_cache
@require_safe
@public
def alive(_: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"alive": True})


@never_cache
@require_safe
@public
def ready(_: HttpRequest) -> JsonResponse:
    """200 when the database and the broker answer, else 503; and how much work waits."""
    broker = waiting_in_broker()
    backlogs = waiting_in_database()
    answer = {
        "ready": broker is not None and backlogs is not None,
        "database": "ok" if backlogs is not None else "unreachable",
        "broker": "ok" if broker is not None else "unreachable",
        "backlog": {**(backlogs or {}), "broker": broker},
    }
    return JsonResponse(answer, status=200 if answer["ready"] else 503)


def waiting_in_database() -> dict[str, int] | None:
    """The registered backlogs; None when the database does not answer."""
    try:
        connection.ensure_connection()
        return {name: count() for name, count in _backlogs.items()}
    except DatabaseError:
        connection.close()
        return None


def waiting_in_broker() -> int | None:
    """Messages that no worker has taken; None when the broker does not answer."""
    try:
        with current_app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_WITHIN)
            channel: Any = broker.default_channel
            return int(channel.queue_declare(current_app.conf.task_default_queue).message_count)
    except (OperationalError, OSError):
        return None
