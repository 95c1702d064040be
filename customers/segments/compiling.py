"""Compiling: from a rule to one parameterised SQL statement over the customers' facts.

Only customers with facts are looked at; everybody has them once the router has seen them. Inside, NULL counts as no:
`all` and `any` keep it harmless and `not` turns it into yes, so a condition on something unknown is simply not met.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from customers.segments import tallying
from customers.segments.comparing import compared, crossed
from customers.segments.fields import TABLES
from customers.segments.operators import Moment, Sql, join, listed
from customers.segments.rules import (
    AllOf,
    AnyOf,
    ByHand,
    Compare,
    Condition,
    Nobody,
    Not,
    Rule,
    Tallied,
    every_condition,
)


def members(rule: Rule, moment: Moment, customer_ids: Sequence[int] | None = None) -> Sql:
    """`SELECT customer_id` of everybody the rule holds for at that moment, among `customer_ids` where given."""
    among = None if customer_ids is None else listed(customer_ids)
    test = _test(rule, moment, among)
    asked = Sql("TRUE") if among is None else Sql("f.customer_id = ANY(%s::bigint[])", (among,))
    where = join([asked, test], " AND ")
    return Sql(f"SELECT f.customer_id FROM {tables(rule)} WHERE {where.text}", where.params)  # noqa: S608


def counts(rules: Sequence[Rule], moment: Moment) -> Sql:
    """`SELECT` how many customers meet each of these rules, in one pass over everybody."""
    tests = [_test(rule, moment, None) for rule in rules]
    told = join((Sql(f"count(*) FILTER (WHERE {test.text})", test.params) for test in tests), ", ")
    return Sql(f"SELECT {told.text} FROM {tables(AllOf(tuple(rules)))}", told.params)  # noqa: S608


def judged(rule: Rule, moment: Moment, among: str | None = None) -> Sql:
    """The test of a whole rule on one customer's row, one of those `listed` where given; it may be NULL."""
    return _test(rule, moment, among)


def tables(rule: Rule) -> str:
    """The FROM clause: facts, and what else the rule asks about."""
    compared = [part for part in every_condition(rule) if isinstance(part, Compare)]
    needed = {part.column.table for part in compared} | {"c" for part in compared if part.days_of}
    return " ".join(sql for alias, sql in TABLES.items() if alias == "f" or alias in needed)


def condition(part: Condition, moment: Moment, among: str | None = None) -> Sql:
    """The test of one condition on one of those `listed`; it may be NULL."""
    if isinstance(part, Compare):
        return compared(part, moment)
    if isinstance(part, Tallied):
        return tallying.test(part, moment, among)
    if isinstance(part, ByHand):
        return _by_hand(part, among)
    if part.rule is None:
        raise ValueError(f"the reference to segment {part.segment_id} was not followed")
    inner = _test(part.rule, moment, among)
    return inner if part.operator.key == "is_in" else _negated(inner)


def crossing(rule: Rule, since: datetime, until: Moment) -> Sql | None:
    """`SELECT customer_id` of everybody whom time alone may have taken across a condition between two instants.

    None where the rule asks nothing that time alone answers anew. A range of the field asked about is read, not
    everybody: the cost follows the crossings.
    """
    low, high = (Moment(choose(since, until.now), until.zone) for choose in (min, max))
    scans = [scan for part in every_condition(rule) for scan in _crossings(part, low, high)]
    return join(scans, " UNION ") if scans else None


def _crossings(part: Condition, low: Moment, high: Moment) -> Iterator[Sql]:
    if isinstance(part, Compare):
        for test in crossed(part, low, high):
            yield Sql(f"SELECT f.customer_id FROM {tables(part)} WHERE {test.text}", test.params)  # noqa: S608
    elif isinstance(part, Tallied):
        yield from tallying.crossings(part, low, high)


def _test(rule: Rule, moment: Moment, among: str | None) -> Sql:
    if isinstance(rule, AllOf | AnyOf):
        parts = [_test(part, moment, among) for part in rule.parts]
        joined = join(parts, " AND " if isinstance(rule, AllOf) else " OR ")
        return Sql(f"({joined.text})", joined.params)
    if isinstance(rule, Not):
        return _negated(_test(rule.part, moment, among))
    if isinstance(rule, Nobody):
        return Sql("FALSE")
    inner = condition(rule, moment, among)
    return Sql(f"({inner.text})", inner.params)


def _by_hand(part: ByHand, among: str | None) -> Sql:
    asked = Sql("") if among is None else Sql(" AND p.customer_id = ANY(%s::bigint[])", (among,))
    return Sql(
        "f.customer_id IN (SELECT p.customer_id FROM customers_handpick p "  # noqa: S608
        f"WHERE p.segment_id = %s AND p.verdict = %s AND p.ended_by_id IS NULL{asked.text})",
        (part.segment_id, part.verdict, *asked.params),
    )


def _negated(inner: Sql) -> Sql:
    return Sql(f"(({inner.text}) IS NOT TRUE)", inner.params)
