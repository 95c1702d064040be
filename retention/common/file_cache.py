"""The cache of installations without Redis: files that all processes share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks


class FileCache(FileBasedCache):
    """Django's, whose `add` and `incr` read and then write: here one at a time does, so that counting misses nobody."""

    def add(self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._in_turn():
            return super().add(key, value, timeout, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with self._in_turn():
            return super().incr(key, delta, version)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Until the file is closed: the system frees the lock of a process that dies."""
        self._createdir()  # type: ignore[attr-defined]  # the stubs leave it out
        with Path(self._dir, "turn.lock").open("w") as file:  # type: ignore[attr-defined]
            locks.lock(file, locks.LOCK_EX)
            yield
