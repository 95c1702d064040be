"""Counting and adding up a customer's related rows, as SQL.

Customers without such rows count as having none of them, whose count and total are 0. "At most twice" is written as
"not more than twice", so that only the rows there are need to be read.
"""

from collections.abc import Iterator

from customers.segments.comparing import compared, crossed
from customers.segments.operators import DAY, Moment, Sql, between, bound, join
from customers.segments.rules import Tallied


def test(part: Tallied, moment: Moment, among: str | None) -> Sql:
    """Counted in one pass over the rows of those asked about."""
    if part.amount == 0 and part.operator.key == "at_least" and not part.tally.total:
        return Sql("TRUE")
    rows = _counted(part, moment)
    if among is not None:
        rows.append(Sql("r.customer_id = ANY(%s::bigint[])", (among,)))
    where = join(rows, " AND ")
    enough = f"{_amount(part)} {part.operator.sql} %s"
    without_any = part.operator.holds(0, part.amount)
    word, having = ("NOT IN", f"NOT ({enough})") if without_any else ("IN", enough)
    return Sql(
        f"f.customer_id {word} (SELECT r.customer_id FROM {part.tally.related.table} "  # noqa: S608
        f"WHERE {where.text} GROUP BY r.customer_id HAVING {having})",
        (*where.params, part.amount),
    )


def amount(part: Tallied, moment: Moment) -> Sql:
    """How many there are of the customer at hand, or what they add up to."""
    where = join([Sql("r.customer_id = f.customer_id"), *_counted(part, moment)], " AND ")
    return Sql(
        f"(SELECT {_amount(part)} FROM {part.tally.related.table} WHERE {where.text})",  # noqa: S608
        where.params,
    )


def crossings(part: Tallied, low: Moment, high: Moment) -> Iterator[Sql]:
    """Customers with a row that came into the period or fell out of it, or that meets a condition anew."""
    related = part.tally.related
    tests = [between(Sql(related.at), low.now, high.now)]
    if part.days is not None:
        tests.append(between(Sql(related.at), low.now - part.days * DAY, high.now - part.days * DAY))
    for one in part.where:
        tests += crossed(one, low, high)
    for each in tests:
        where = join([bound(related.always, high), each], " AND ")
        yield Sql(f"SELECT r.customer_id FROM {related.table} WHERE {where.text}", where.params)  # noqa: S608


def _amount(part: Tallied) -> str:
    return f"COALESCE(sum({part.tally.total}), 0)" if part.tally.total else f"count({part.tally.each})"


def _counted(part: Tallied, moment: Moment) -> list[Sql]:
    """The conditions on the rows that count. What has not happened yet does not."""
    related = part.tally.related
    asked = {one.column.key for one in part.where}
    usual = [condition for key, condition in related.unless_asked if key not in asked]
    since = [] if part.days is None else [Sql(f"{related.at} > %s", (moment.now - part.days * DAY,))]
    happened = Sql(f"{related.at} <= %s", (moment.now,))
    asked_for = [_whole(compared(one, moment)) for one in part.where]
    return [bound(related.always, moment), happened, *since, *usual, *asked_for]


def _whole(test: Sql) -> Sql:
    return Sql(f"({test.text})", test.params)
