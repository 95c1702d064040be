"""Why a message left, or did not: what was looked at is told as a person reads it."""

from typing import Any

import pytest
from django.utils import timezone

from campaigns.reasons import findings


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, ""),
        ("granted", ""),
        ("withdrawn", "unsubscribed"),
        ("2026-08-17T00:00:00+00:00", "17 Aug 2026, 02:00 CEST"),
        ("Winback 2025", "Winback 2025"),
    ],
)
def test_it_works(found: Any, told: str) -> None:
    with timezone.override("Europe/Berlin"):
        (said,) = findings([{"gate": "not_held_out", "passed": False, "found": found}])
    assert said.found == told
