"""What the list of customers can be put in order by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    CharField,
    DateField,
    DecimalField,
    F,
    Func,
    IntegerField,
    QuerySet,
    Value,
)
from django.db.models.expressions import OrderBy
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, Left, Lower
from django.db.models.lookups import IsNull

from customers.models import Customer, CustomField
from customers.models.facts import NEVER, UNKNOWN_HEALTH
from customers.records.columns import CUSTOM, FIGURES
from retention.common.keyset import Key, amount, instant, plain

Type = CustomField.Type
#: So much of a text is compared, for it stands in the address of the next page.
COMPARED = 100


@dataclass(frozen=True)
class Order:
    """A column that the list can be put in order by.

    `empty`: what stands in the place of no value, where values can be missing; those rows come last, up and down. Level
    rows go by `tie`. Where there is an index it leads with the same expressions.
    """

    name: str
    label: str
    by: Key
    tie: str = "pk"
    first_down: bool = False
    empty: Value | None = None

    @property
    def by_facts(self) -> bool:
        return self.tie != "pk"

    @property
    def is_indexed(self) -> bool:
        return self.empty is None

    def keys(self, *, down: bool) -> tuple[Key, ...]:
        """What the rows are compared by, all of it in the one direction."""
        tie = Key(F(self.tie), int)
        if self.empty is None:
            return self.by, tie
        last = Key(IsNull(self.by.by, not down), bool)
        return last, Key(Coalesce(self.by.by, self.empty), self.by.read), tie


OF_FACTS = "facts__customer_id"
LAST_ORDER = Coalesce("facts__last_order_at", Value(NEVER))
HEALTH = Coalesce("facts__health", Value(UNKNOWN_HEALTH))
ORDERS = {
    order.name: order
    for order in (
        Order("name", "Customer", Key(Lower("name"), plain)),
        Order("last_order", "Last order", Key(LAST_ORDER, instant), OF_FACTS, first_down=True),
        Order("revenue", "Revenue", Key(F("facts__revenue"), amount), OF_FACTS, first_down=True),
        Order("mrr", "MRR", Key(F("facts__mrr"), amount), OF_FACTS, first_down=True),
        Order("health", "Health", Key(HEALTH, int), OF_FACTS),
    )
}


def orders(fields: Iterable[CustomField]) -> Mapping[str, Order]:
    """Those of every list, and those by these custom fields, by name."""
    return ORDERS | {order.name: order for order in map(_by_custom, fields)}


def in_order(customers: QuerySet[Customer], order: Order, *, down: bool) -> QuerySet[Customer]:
    """By facts, only customers who have facts: a new one has them within seconds."""
    ordered = having(customers, order)
    return ordered.order_by(*(OrderBy(key.by, descending=down) for key in order.keys(down=down)))


def having(customers: QuerySet[Customer], order: Order) -> QuerySet[Customer]:
    return customers.filter(facts__isnull=False) if order.by_facts else customers


def _by_custom(field: CustomField) -> Order:
    key, empty = _typed(field)
    return Order(CUSTOM + field.key, field.label, key, first_down=field.type in FIGURES, empty=empty)


def _typed(field: CustomField) -> tuple[Key, Value]:
    """The values as what they are: numbers, days, and of a list in the list's order."""
    text = KeyTextTransform(field.key, "attributes")
    match field.type:
        case Type.NUMBER | Type.MONEY:
            figure = DecimalField(max_digits=19, decimal_places=4)
            return Key(Cast(KeyTransform(field.key, "attributes"), figure), amount), Value(0, figure)
        case Type.DATE:
            return Key(Cast(text, DateField()), date.fromisoformat), Value(date.min)
        case Type.CHOICE:
            listed = Value(field.choices, ArrayField(CharField()))
            return Key(Func(listed, text, function="array_position", output_field=IntegerField()), int), Value(0)
    return Key(Lower(Left(text, COMPARED)), plain), Value("")
