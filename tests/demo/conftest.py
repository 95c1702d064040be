"""The demo workspace, loaded once for all tests of this folder and rolled back after them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from retention.common import clock
from retention.demo.loading import Loaded, clear, load

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Demo:
    loaded: Loaded
    statements: int


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Demo]:
    """Two years up to NOW, at which the clock stands still. Each test that takes it is a savepoint within."""
    counted = [0]

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        counted[0] += 1
        return execute(sql, params, many, context)

    with django_db_blocker.unblock(), transaction.atomic(), clock.at(NOW):
        clear()  # ids begin at 1, as in a new database: who is held out depends on them
        with connection.execute_wrapper(count):
            loaded = load(NOW)
        connection.check_constraints()  # else every test would look through all of its rows again when it ends
        yield Demo(loaded, counted[0])
        transaction.set_rollback(True)
