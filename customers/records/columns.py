"""Columns that the list shows on request, beside those it always has. The query string names them.

`column=custom.tier` asks for the custom field with the key tier.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from customers.custom import values
from customers.models import CustomField

CUSTOM = "custom."
MOST = 12
FIGURES = (CustomField.Type.NUMBER, CustomField.Type.MONEY)


@dataclass(frozen=True)
class Extra:
    """A column on request. `read` gets a row of the list; `told` puts what it found in words, `bare` for a file."""

    key: str
    label: str
    path: str
    read: Callable[[dict[str, Any]], Any]
    told: Callable[[Any, str], str]
    bare: Callable[[Any], str]
    is_figure: bool = False


def offered(fields: Sequence[CustomField]) -> dict[str, Extra]:
    """Every column that can be asked for, by key."""
    return {extra.key: extra for extra in map(_custom, fields)}


def chosen(keys: Sequence[str], offered: dict[str, Extra]) -> list[Extra]:
    """Those asked for, in the order in which they are offered."""
    return [extra for key, extra in offered.items() if key in keys][:MOST]


def _custom(field: CustomField) -> Extra:
    return Extra(
        key=CUSTOM + field.key,
        label=field.label,
        path="attributes",
        read=lambda row: row["attributes"].get(field.key),
        told=lambda value, currency: _short(values.text(field, value, currency)),
        bare=lambda value: values.bare(field, value),
        is_figure=field.type in FIGURES,
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
