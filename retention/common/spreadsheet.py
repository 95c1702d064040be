"""Text that a spreadsheet shows as it is, and never runs as a formula."""

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
