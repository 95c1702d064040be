"""A clock for these tests to set."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
import time_machine


@pytest.fixture
def at() -> Iterator[Callable[[datetime], None]]:
    """Set the time; it stands still there, and moves on by setting it again."""
    travels: list[time_machine.travel] = []

    def set_to(instant: datetime) -> None:
        while travels:
            travels.pop().stop()
        travels.append(time_machine.travel(instant, tick=False))
        travels[-1].start()

    yield set_to
    while travels:
        travels.pop().stop()
