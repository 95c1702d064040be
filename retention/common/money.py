"""Money: an amount with its currency. Amounts are stored with four decimals and shown with the currency's own."""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

# ISO 4217 currencies whose smallest unit is not a hundredth.
DECIMALS = {"BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3, "CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "VND": 0}


def decimals(currency: str) -> int:
    """How many the currency's smallest unit has."""
    return DECIMALS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` in the currency's smallest unit, halves away from zero."""
    return amount.quantize(_unit(decimals(currency)), rounding=ROUND_HALF_UP)


@cache
def _unit(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)
