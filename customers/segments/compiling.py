"""Compiling: from a rule to one parameterised SQL statement over the customers' facts.

Only customers with facts are looked at; everybody has them once the router has seen them. Inside, NULL counts as no:
`all` and `any` keep it harmless and `not` turns it into yes, so a condition on something unknown is simply not met.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo

from customers.segments.catalogue import TABLES
from customers.segments.operators import DAY, Moment, Sql, join
from customers.segments.rules import AllOf, AnyOf, Compare, Condition, Happened, Not, Rule, every_condition


def members(rule: Rule, moment: Moment, customer_ids: Sequence[int] | None = None) -> Sql:
    """`SELECT customer_id` of everybody the rule holds for at that moment, among `customer_ids` where given."""
    test = _test(rule, moment, customer_ids)
    among = Sql("TRUE") if customer_ids is None else Sql("f.customer_id = ANY(%s)", (list(customer_ids),))
    where = join([among, test], " AND ")
    return Sql(f"SELECT f.customer_id FROM {tables(rule)} WHERE {where.text}", where.params)  # noqa: S608


def tables(rule: Rule) -> str:
    """The FROM clause: facts, and what else the rule asks about."""
    needed = {part.column.table for part in every_condition(rule) if isinstance(part, Compare)}
    return " ".join(sql for alias, sql in TABLES.items() if alias == "f" or alias in needed)


def condition(part: Condition, moment: Moment, customer_ids: Sequence[int] | None = None) -> Sql:
    """The test of one condition; it may be NULL."""
    if isinstance(part, Compare):
        return part.operator.test(part.column.sql, part.value, moment)
    if isinstance(part, Happened):
        return _happened(part, moment, customer_ids)
    if part.rule is None:
        raise ValueError(f"the reference to segment {part.segment_id} was not followed")
    inner = _test(part.rule, moment, customer_ids)
    return inner if part.operator.key == "is_in" else _negated(inner)


def count(part: Happened, moment: Moment) -> Sql:
    """How often it happened to the customer at hand."""
    return Sql(
        "(SELECT count(*) FROM customers_event e WHERE e.customer_id = f.customer_id "
        "AND e.kind = %s AND e.occurred_at > %s AND e.occurred_at <= %s)",
        (part.count.kind, moment.now - part.days * DAY, moment.now),
    )


def crossing(rule: Rule, since: datetime, until: Moment) -> Sql | None:
    """`SELECT customer_id` of everybody whom time alone may have taken across a condition between two instants.

    None where the rule asks nothing that time alone answers anew. A range of the field asked about is read, not
    everybody: the cost follows the crossings.
    """
    low, high = min(since, until.now), max(since, until.now)
    scans = [scan for part in every_condition(rule) for scan in _crossings(part, low, high, until.zone)]
    return join(scans, " UNION ") if scans else None


def _crossings(part: Condition, low: datetime, high: datetime, zone: tzinfo) -> Iterator[Sql]:
    if isinstance(part, Compare) and part.operator.by_day:
        yield from _midnights(part, low.astimezone(zone).date(), high.astimezone(zone).date())
    elif isinstance(part, Compare):
        for offset in part.operator.edges(part.value):
            x = part.column.sql
            yield Sql(
                f"SELECT f.customer_id FROM {tables(part)} WHERE {x.text} BETWEEN %s AND %s",  # noqa: S608
                (*x.params, low + offset, high + offset),
            )
    elif isinstance(part, Happened):
        for offset in (-part.days * DAY, 0 * DAY):
            yield Sql(
                "SELECT e.customer_id FROM customers_event e WHERE e.kind = %s AND e.occurred_at BETWEEN %s AND %s",
                (part.count.kind, low + offset, high + offset),
            )


def _midnights(part: Compare, low: date, high: date) -> Iterator[Sql]:
    """Those whose day lies at an edge, a day to either side; nobody until a midnight has passed."""
    if low == high:
        return
    for offset in part.operator.edges(part.value):
        x = part.column.sql
        yield Sql(
            f"SELECT f.customer_id FROM {tables(part)} WHERE {x.text} BETWEEN %s AND %s",  # noqa: S608
            (*x.params, low + offset - DAY, high + offset + DAY),
        )


def _test(rule: Rule, moment: Moment, customer_ids: Sequence[int] | None) -> Sql:
    if isinstance(rule, AllOf | AnyOf):
        parts = [_test(part, moment, customer_ids) for part in rule.parts]
        joined = join(parts, " AND " if isinstance(rule, AllOf) else " OR ")
        return Sql(f"({joined.text})", joined.params)
    if isinstance(rule, Not):
        return _negated(_test(rule.part, moment, customer_ids))
    inner = condition(rule, moment, customer_ids)
    return Sql(f"({inner.text})", inner.params)


def _negated(inner: Sql) -> Sql:
    return Sql(f"(({inner.text}) IS NOT TRUE)", inner.params)


def _happened(part: Happened, moment: Moment, customer_ids: Sequence[int] | None) -> Sql:
    """Counted in one pass over the events of those asked about. "At most" is "not more than"."""
    among = Sql("") if customer_ids is None else Sql(" AND e.customer_id = ANY(%s)", (list(customer_ids),))
    if part.operator.key == "at_least":
        if part.times == 0:
            return Sql("TRUE")
        word, compared = "IN", ">="
    else:
        word, compared = "NOT IN", ">"
    return Sql(
        f"f.customer_id {word} (SELECT e.customer_id FROM customers_event e "  # noqa: S608
        f"WHERE e.kind = %s AND e.occurred_at > %s AND e.occurred_at <= %s{among.text} "
        f"GROUP BY e.customer_id HAVING count(*) {compared} %s)",
        (part.count.kind, moment.now - part.days * DAY, moment.now, *among.params, part.times),
    )
