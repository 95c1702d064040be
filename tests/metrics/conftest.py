"""Today is 1 June 2026, noon; the company is that of tests/metrics/company.py."""

from collections.abc import Iterator

import pytest
import time_machine

from campaigns.models import Campaign
from tests.metrics.company import found_company
from tests.metrics.worlds import NOW


@pytest.fixture
def today(db: None) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def company(today: None) -> Campaign:
    return found_company()
