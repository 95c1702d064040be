"""Text that a spreadsheet shows as it is, and never runs as a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def cell(value: Any, zone: tzinfo) -> Any:
    """A value as every export writes it: instants in local time with their offset, decimals (money) to two places."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return harmless(value) if isinstance(value, str) else value


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def written(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Lines of CSV, each as it is asked for, with a mark first by which Excel knows UTF-8."""
    write = csv.writer(_Echo()).writerow
    yield "\ufeff"
    yield write(header)
    yield from map(write, rows)
