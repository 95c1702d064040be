"""Custom fields as columns that rules can ask about, each with the operators of its type."""

from collections.abc import Sequence
from functools import cached_property

from customers.custom.definitions import every
from customers.models import CustomField
from customers.segments import for_dates, for_values
from customers.segments.counting import YES_NO
from customers.segments.fields import CUSTOM, Column
from customers.segments.operators import Comparison, Sql

Type = CustomField.Type
# A value that is not of its type cannot be there; should it be, it is not known rather than an error.
_TEXT = "NULLIF(c.attributes ->> %s, '')"
_NUMBER = "CASE WHEN jsonb_typeof(c.attributes -> %s) = 'number' THEN (c.attributes ->> %s)::numeric END"
_DAY = "CASE WHEN pg_input_is_valid(c.attributes ->> %s, 'date') THEN (c.attributes ->> %s)::date END"
_YES_NO = "CASE c.attributes -> %s WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' END"
_SHAPES: dict[str, tuple[str, Sequence[Comparison], str]] = {
    Type.TEXT: (_TEXT, for_values.TEXT, ""),
    Type.LONG_TEXT: (_TEXT, for_values.TEXT, ""),
    Type.LINK: (_TEXT, for_values.TEXT, ""),
    Type.NUMBER: (_NUMBER, for_values.NUMBER, ""),
    Type.MONEY: (_NUMBER, for_values.NUMBER, "money"),
    Type.DATE: (_DAY, for_dates.DAY_OF_CALENDAR, "day"),
    Type.YES_NO: (_YES_NO, for_values.OPTIONAL_CHOICE, ""),
    Type.CHOICE: (_TEXT, for_values.OPTIONAL_CHOICE, ""),
    Type.CHOICES: ("c.attributes -> %s", for_values.SEVERAL, ""),
}


def column(field: CustomField) -> Column:
    """The field as rules see it."""
    sql, kind, unit = _SHAPES[field.type]
    choices = YES_NO if field.type == Type.YES_NO else tuple((choice, choice) for choice in field.choices)
    label = f"{field.label} (put away)" if field.archived_at else field.label
    asked = Sql(sql, (field.key,) * sql.count("%s"))
    return Column(f"{CUSTOM}{field.key}", label, "Custom fields", kind, asked, "c", unit, choices)


class CustomColumns:
    """The custom fields by the key that a rule names them by; read once, when the first is asked for."""

    @cached_property
    def columns(self) -> dict[str, Column]:
        return {found.key: found for found in map(column, every())}

    def get(self, key: str) -> Column | None:
        return self.columns.get(key)
