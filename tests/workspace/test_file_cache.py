"""Counting in the cache of files, which is what limits sign-ins and requests where there is no Redis."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from retention.common.file_cache import FileCache

AT_ONCE, TIMES = 4, 25


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(str(tmp_path), {})


def together(work: Callable[[], object]) -> list[object]:
    """Do it in several threads that begin at one moment."""
    begin = Barrier(AT_ONCE)

    def run() -> object:
        begin.wait()
        return work()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [each.result() for each in [threads.submit(run) for _ in range(AT_ONCE)]]


def test_it_works(cache: FileCache) -> None:
    cache.add("tries", 0, 60)
    together(lambda: [cache.incr("tries") for _ in range(TIMES)])
    assert cache.get("tries") == AT_ONCE * TIMES


def test_one_alone_adds(cache: FileCache) -> None:
    for number in range(TIMES):
        assert together(lambda name=number: cache.add(f"lock{name}", "taken", 60)).count(True) == 1  # type: ignore[misc]
