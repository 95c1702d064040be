"""One column against one value, as SQL; of the customer, or of a row that belongs to the customer."""

from dataclasses import replace

from customers.segments import zones
from customers.segments.operators import Moment, Sql, between, bound
from customers.segments.rules import Compare


def compared(part: Compare, moment: Moment) -> Sql:
    """The test; it may be NULL."""
    return _within(part, part.operator.test(bound(part.column.sql, moment), part.value, locally(part, moment)))


def crossed(part: Compare, low: Moment, high: Moment) -> tuple[Sql, ...]:
    """Tests, one of which is met by whatever time alone may have taken across between two moments."""
    turned = [between(Sql(instant), low.now, high.now) for instant in part.column.turns]
    x = bound(part.column.sql, high)
    passed = part.operator.crossed(x, part.value, locally(part, low), locally(part, high))
    return tuple(_within(part, test) for test in (*turned, *passed))


def locally(part: Compare, moment: Moment) -> Moment:
    """The moment, with the customer's own zone where their days count."""
    if not part.days_of:
        return moment
    zone_of = zones.of_row if part.column.table == "r" else zones.of_customer
    return replace(moment, local=zone_of(moment.zone))


def _within(part: Compare, test: Sql) -> Sql:
    return Sql(part.column.within.replace("{test}", test.text), test.params)
