"""What fields are: values a customer has, related rows that can be counted or added up, other segments.

A field's SQL stands on the aliases of `TABLES`: `f` is the customer's facts, the rest is joined where a rule needs it.
Related rows are `r`. SQL is made of constants, and its parameters come from the code or from a checked value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from customers.segments.for_attributes import ATTRIBUTE as OPERATORS
from customers.segments.operators import Amount, Comparison, Operator, Sql

TABLES = {
    "f": "customers_customerfacts f",
    "c": "JOIN customers_customer c ON c.id = f.customer_id",
    "v": "LEFT JOIN customers_valuescale v ON TRUE",
    "k": "LEFT JOIN customers_consent k ON k.customer_id = f.customer_id AND k.channel = 'email'",
    "mc": "LEFT JOIN customers_contact mc ON mc.customer_id = f.customer_id AND mc.is_main AND mc.removed_at IS NULL",
}
Choices = tuple[tuple[str, str], ...]
MAX_KEY = 100
ATTRIBUTE, PAYLOAD, EVENT = "attributes.", "payload.", "events."
#: What keys of custom fields begin with; `custom.CustomColumns` has their columns.
CUSTOM = "custom."
EVERY_ROW = Sql("TRUE")


@dataclass(frozen=True)
class Field:
    """Something a rule can ask about. `group` is where the builder lists it."""

    key: str
    label: str
    group: str
    operators: Sequence[Operator]

    def operator(self, key: object) -> Operator | None:
        return next((operator for operator in self.operators if operator.key == key), None)


@dataclass(frozen=True)
class Column(Field):
    """A field with one value per customer, in one of `TABLES`, or per related row.

    `unit` is how its values are shown: `money`, `percent`, `days`, `instant`, `day`, `person`, or nothing special.
    `turns` are the instants at which time alone gives it another value. `within` holds the test (`{test}`) where it is
    asked of rows of rows, such as an order's lines. `rests_on` names what of `membership.foundations` it stands on
    beside the customer's own: when that changes, everybody is looked at again.
    """

    operators: Sequence[Comparison]
    sql: Sql
    table: str = "f"
    unit: str = ""
    choices: Choices = ()
    turns: tuple[str, ...] = ()
    within: str = "{test}"
    rests_on: str = ""


@dataclass(frozen=True)
class Related:
    """Rows that belong to customers, each with an instant: `r.customer_id` and `at` in `table`.

    `columns` are what a rule may ask of a row. Where it does not ask about the column named in `unless_asked`, that
    condition holds instead: a cancelled order counts for nothing unless somebody asks for cancelled ones.
    `payload`: anything in the row's JSON can be asked about too, as `payload.KEY`.
    """

    table: str
    at: str
    columns: tuple[Column, ...]
    always: Sql = EVERY_ROW
    unless_asked: tuple[tuple[str, Sql], ...] = ()
    payload: str = ""

    def column(self, key: object) -> Column | None:
        if isinstance(key, str) and self.payload and key.startswith(PAYLOAD):
            return inside(self.payload, PAYLOAD, key.removeprefix(PAYLOAD), "r")
        return next((column for column in self.columns if column.key == key), None)


@dataclass(frozen=True)
class Tally(Field):
    """How many related rows there are in the last days, or what they add up to where `total` says what to add.

    `each`: what is counted, where rows that are alike count once.
    """

    operators: Sequence[Amount]
    related: Related
    total: str = ""
    unit: str = ""
    each: str = "*"

    @property
    def happens(self) -> bool:
        """Whether it is told as what somebody does, so many times, rather than as what they have, so many."""
        return self.key.startswith(EVENT)


@dataclass(frozen=True)
class OtherSegment(Field):
    """Whether the customer satisfies another segment's rule."""


def inside(json: str, prefix: str, name: str, table: str) -> Column | None:
    """A value in a JSON column, under a key that somebody typed: a text, which may say a number."""
    if not 0 < len(name) <= MAX_KEY or "\0" in name:
        return None
    sql = Sql(f"NULLIF({json} ->> %s, '')", (name,))
    return Column(f"{prefix}{name}", name, "Other attributes", OPERATORS, sql, table)
