"""Values of custom fields: as JSON in the database, as forms hand them over, as people read them.

By type: text, long text, date (YYYY-MM-DD), link and one of a list are strings; number and money are numbers; yes or no
is true or false; several of a list is a list of strings in the list's order. What is not known has no key.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from customers.models import CustomField
from retention.workspace.templatetags.shell import money, number

Type = CustomField.Type
DIGITS, PLACES = 15, 4
TEXT, LONG_TEXT, LINK = 300, 10_000, 2_000


@dataclass(frozen=True)
class Told:
    """A value in words; `url` where it leads somewhere."""

    label: str
    text: str
    url: str = ""
    long: bool = False


def stored(field: CustomField, cleaned: Any) -> Any:
    """The JSON of what a form's field made of the text typed; None where nothing was."""
    if cleaned is None or cleaned == "" or cleaned == []:
        return None
    match field.type:
        case Type.NUMBER | Type.MONEY:
            return _json_number(cleaned)
        case Type.DATE:
            return cleaned.isoformat()
        case Type.YES_NO:
            return cleaned == "yes"
        case Type.CHOICES:
            return [choice for choice in field.choices if choice in cleaned]
    return cleaned.replace("\r\n", "\n") if isinstance(cleaned, str) else cleaned


def _json_number(value: Decimal) -> int | float:
    """Exact: fifteen digits are what a double keeps."""
    return int(value) if value == value.to_integral_value() else float(value)


def typed(field: CustomField, value: Any) -> Any:
    """The other way: what a form's field shows for a stored value."""
    if field.type == Type.YES_NO and isinstance(value, bool):
        return "yes" if value else "no"
    return value


def merged(attributes: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes with what was said put in, and what was said to be nothing taken out."""
    together = {**attributes, **said}
    return {key: value for key, value in together.items() if value is not None}


def text(field: CustomField, value: Any, currency: str) -> str:
    """A stored value in words; nothing for None."""
    if value is None:
        return ""
    match field.type:
        case Type.MONEY:
            return money(Decimal(str(value)), currency)
        case Type.NUMBER:
            return _number(Decimal(str(value)))
        case Type.DATE:
            return _day(date.fromisoformat(value))
        case Type.YES_NO:
            return "Yes" if value else "No"
        case Type.CHOICES:
            return ", ".join(value)
    return str(value)


def bare(field: CustomField, value: Any) -> str:
    """A stored value for a file that machines read: numbers and dates plain."""
    if field.type in (Type.NUMBER, Type.MONEY) and value is not None:
        return f"{Decimal(str(value)):f}"
    return str(value) if field.type == Type.DATE and value else text(field, value, "")


def _number(value: Decimal) -> str:
    return number(value, max(0, -int(value.normalize().as_tuple().exponent)))


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def told(fields: Sequence[CustomField], attributes: Mapping[str, Any], currency: str) -> list[Told]:
    """What is known of these fields, in their order."""
    return [
        Told(
            field.label,
            text(field, value, currency),
            url=value if field.type == Type.LINK else "",
            long=field.type == Type.LONG_TEXT,
        )
        for field in fields
        if (value := attributes.get(field.key)) is not None
    ]


def loose(defined: Iterable[str], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What files brought along under names that nobody has defined."""
    known = set(defined)
    return {key: value for key, value in attributes.items() if key not in known}
