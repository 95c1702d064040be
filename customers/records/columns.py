"""Columns that the list shows on request, beside those it always has. The query string names them.

`column=custom.tier` asks for the custom field with the key tier.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from customers.custom import values
from customers.models import CustomField, HealthBand
from retention.common import languages

CUSTOM = "custom."
MOST = 12
BANDS: dict[str, str] = dict(HealthBand.choices)
_COLUMN = re.compile(r"[a-z][a-z0-9_.]{0,60}")
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


def _own(key: str, label: str, path: str) -> Extra:
    return Extra(key, label, path, lambda row: row[path] or "", lambda text, _currency: _short(text), str)


#: Columns of what every customer has.
OWN = {
    extra.key: extra
    for extra in (
        _own("team", "Team", "team__name"),
        Extra(
            "key_account",
            "Key account",
            "is_key_account",
            lambda row: "Yes" if row["is_key_account"] else "",
            lambda text, _currency: text,
            str,
        ),
        Extra(
            "health",
            "Health",
            "facts__health",
            lambda row: "" if row["facts__health"] is None else row["facts__health"],
            lambda score, _currency: str(score),
            str,
            is_figure=True,
        ),
        Extra(
            "health_band",
            "Health is",
            "facts__health_band",
            lambda row: BANDS.get(row["facts__health_band"], ""),
            lambda text, _currency: text,
            str,
        ),
        _own("persona", "Persona", "persona"),
        _own("source", "Came by", "source"),
        _own("country", "Country", "country"),
        _own("phone", "Phone", "phone"),
        Extra(
            "language",
            "Language",
            "language",
            lambda row: row["language"],
            lambda code, _currency: _short(languages.called(code)),
            str,
        ),
    )
}


def asked(said: QueryDict) -> tuple[str, ...]:
    """The keys of the columns that an address asks for, each once; which of them there are is told by `offered`."""
    return tuple(dict.fromkeys(key for key in said.getlist("column") if _COLUMN.fullmatch(key)))[:MOST]


def paths(keys: Sequence[str]) -> tuple[str, ...]:
    """What must be read of a customer for these columns, beside what the list reads anyway."""
    own = {OWN[key].path for key in keys if key in OWN} - {"is_key_account", "country"}
    custom = {"attributes"} if any(key.startswith(CUSTOM) for key in keys) else set()
    return tuple(sorted(own | custom))


def offered(fields: Sequence[CustomField]) -> dict[str, Extra]:
    """Every column that can be asked for, by key."""
    return OWN | {extra.key: extra for extra in map(_custom, fields)}


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
