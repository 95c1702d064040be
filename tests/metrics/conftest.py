"""Today is 1 June 2026, noon; the company is that of tests/metrics/company.py."""

from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from campaigns.models import Campaign
from tests.metrics.company import found_company
from tests.metrics.worlds import NOW


@pytest.fixture
def today(db: None) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def founded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Campaign]:
    """Founded once for a module, to whose later tests it is there; each of them is a savepoint within."""
    with django_db_blocker.unblock(), transaction.atomic():
        with time_machine.travel(NOW, tick=False):
            campaign = found_company()
        connection.check_constraints()  # else every test would look through all of its rows again when it ends
        yield campaign
        transaction.set_rollback(True)


@pytest.fixture
def company(founded: Campaign, today: None) -> Campaign:
    return founded
