"""The only place where the product reads the time.

With RETENTION_NOW set, the whole product lives from that instant on: the first process to read the clock
writes down by how much it is shifted, and every later process of the same data folder keeps to that, so that
web, worker and commands agree and time goes on across restarts.

`at` lets a block live at a past instant: what it does is done as it would have been then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings

from retention.common.kept import kept

_held: ContextVar[datetime | None] = ContextVar("held", default=None)


def now() -> datetime:
    """The product's present instant, in UTC."""
    if held := _held.get():
        return held
    start = settings.RETENTION_NOW
    return datetime.now(UTC) + _shift(start, Path(settings.DATA_DIR)) if start else datetime.now(UTC)


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Within the block, in this thread, it is `instant` and stays so."""
    token = _held.set(instant)
    try:
        yield
    finally:
        _held.reset(token)


@cache
def _shift(start: datetime, folder: Path) -> timedelta:
    seconds = kept(folder / f"clock-{start:%Y%m%dT%H%M%S}", lambda: str((start - datetime.now(UTC)).total_seconds()))
    return timedelta(seconds=float(seconds))
