"""One column against one value, as SQL; of the customer, or of a row that belongs to the customer."""

from customers.segments.operators import Moment, Sql, between, bound
from customers.segments.rules import Compare


def compared(part: Compare, moment: Moment) -> Sql:
    """The test; it may be NULL."""
    return _within(part, part.operator.test(bound(part.column.sql, moment), part.value, moment))


def crossed(part: Compare, low: Moment, high: Moment) -> tuple[Sql, ...]:
    """Tests, one of which is met by whatever time alone may have taken across between two moments."""
    turned = [between(Sql(instant), low.now, high.now) for instant in part.column.turns]
    passed = part.operator.crossed(bound(part.column.sql, high), part.value, low, high)
    return tuple(_within(part, test) for test in (*turned, *passed))


def _within(part: Compare, test: Sql) -> Sql:
    return Sql(part.column.within.replace("{test}", test.text), test.params)
