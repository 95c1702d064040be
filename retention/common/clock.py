"""The only place where the product reads the time.

With RETENTION_NOW set, the whole product lives from that instant on: the first process to read the clock
writes down by how much it is shifted, and every later process of the same data folder keeps to that, so that
web, worker and commands agree and time goes on across restarts.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings

from retention.common.kept import kept


def now() -> datetime:
    """The product's present instant, in UTC."""
    return datetime.now(UTC) + _shift(settings.RETENTION_NOW, Path(settings.DATA_DIR))


@cache
def _shift(start: datetime | None, folder: Path) -> timedelta:
    if start is None:
        return timedelta()
    seconds = kept(folder / f"clock-{start:%Y%m%dT%H%M%S}", lambda: str((start - datetime.now(UTC)).total_seconds()))
    return timedelta(seconds=float(seconds))
