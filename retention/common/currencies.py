"""The currencies of ISO 4217, also those that are no more: old orders were paid in them."""

from babel.numbers import list_currencies
from django.core.exceptions import ValidationError

#: Without the codes for no currency and for tests.
CURRENCIES = frozenset(list_currencies()) - {"XXX", "XTS"}


def check_currency(code: str) -> None:
    """Raise ValidationError where no currency has the code, whatever its case."""
    if code.upper() not in CURRENCIES:
        raise ValidationError("Give the three letters of a currency, such as EUR.", "invalid")
