"""Two at once: work on a connection of its own, and waiting until somebody waits for a lock."""

import time
from collections.abc import Callable
from threading import Thread

from django.db import connection


def elsewhere(work: Callable[[], object]) -> Thread:
    """Do it on another connection."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        (count,) = cursor.fetchone()
    return int(count)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120  # on a busy machine
    while not true():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.01)
