"""Advisory locks: work that only so many may do at once. PostgreSQL frees a lock the moment its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

ROUTING, SWEEPING, DELIVERING, JOBS, MATCHING = 7_236_001, 7_236_002, 7_236_003, 7_236_004, 7_236_005


@contextmanager
def alone(work: int, places: int = 1) -> Iterator[bool]:
    """Take one of the `places` for this work; False, at once, where all are taken."""
    with connection.cursor() as cursor:
        taken = None
        for place in range(places):
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [work, place])
            if cursor.fetchone()[0]:
                taken = place
                break
        try:
            yield taken is not None
        finally:
            if taken is not None:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [work, taken])
