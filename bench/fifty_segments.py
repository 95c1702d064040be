"""Fifty sample segments kept right: a thousand changed customers, and everybody, against the same statements alone.

As many customers as BENCH_CUSTOMERS says (see `segment_refresh`), each with orders, their lines, and a few events; a
million by `BENCH_CUSTOMERS=1000000 python -m bench fifty_segments`. The segments are the ready-made ones and others
that ask about every kind of thing, two with decisions by hand.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from bench.harness import Race
from bench.segment_refresh import CUSTOMERS, DIRTY, NOW, dirty_batches, populate, run
from customers.facts import folding
from customers.models import Customer, Event, HandChange, Segment
from customers.segments import by_hand, compiling, membership, references, together
from customers.segments.operators import Moment
from customers.segments.ready_made import READY_MADE
from retention.common import clock
from retention.workspace.models import Workspace

_LINES = """
    INSERT INTO customers_orderline (order_id, position, sku, description, quantity, unit_price)
    SELECT id, 1, 'SKU' || id % 500, 'Product', 1 + id % 3, 10 FROM customers_order
"""
_EVENTS = """
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key,
                                 routed_at)
    SELECT c.id, (ARRAY['usage', 'usage', 'message.opened', 'message.clicked', 'survey.answered'])[1 + (c.id + k) %% 5],
           %(now)s - (hashint8(c.id * 17 + k) & 2147483647) %% 17280000 * interval '1 second', %(now)s, 'bench', '',
           jsonb_build_object('score', (c.id + 3 * k) %% 11, 'name', 'Campaign ' || c.id %% 7), 'b' || k, %(now)s
    FROM customers_customer c, generate_series(1, 5) k
"""


def _asked(field: str, op: str, value: Any, *where: tuple[str, str, Any]) -> dict[str, Any]:
    asked = {"field": field, "op": op, "value": value}
    return asked | {"where": [_asked(*one) for one in where]} if where else asked


def _rules() -> list[dict[str, Any]]:
    """Twenty-eight more, so that there are fifty."""
    rules: list[dict[str, Any]] = [
        _asked("order_count", "at_least", {"times": times, "days": days}, ("amount", "at_least", 20 * times))
        for times in (1, 2, 3)
        for days in (30, 90)
    ]
    rules += [_asked("order_count", "at_least", {"times": 1}, ("sku", "is", f"SKU{number}")) for number in range(3)]
    rules += [_asked("product_total", "at_least", {"total": 50, "days": days}) for days in (60, 180)]
    rules += [_asked("order_total", "at_most", {"total": 100, "days": days}) for days in (90, 365)]
    rules += [
        _asked(
            "events.message.clicked", "at_least", {"times": 1, "days": 90}, ("payload.name", "is", f"Campaign {number}")
        )
        for number in range(3)
    ]
    rules += [
        _asked("events.survey.answered", "at_least", {"times": 1, "days": 180}, ("payload.score", "at_least", score))
        for score in (0, 7, 9)
    ]
    rules += [_asked("last_order_at", "more_than_days_ago", days) for days in (30, 45, 90, 120, 180)]
    rules += [_asked("country", "is", "Germany"), _asked("name", "contains", "99"), _asked("revenue", "at_least", 500)]
    return [*rules, _asked("last_order_at", "is_this_month", None)]


def _make_segments() -> None:
    for offer in READY_MADE.values():
        Segment.objects.create(name=offer.name, rule=offer.rule)
    rules = _rules()
    for number in range(50 - len(READY_MADE)):
        Segment.objects.create(name=f"Sample {number}", rule={"all": [rules[number % len(rules)]]})
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True)[:1_000])
    for segment in Segment.objects.order_by("pk")[:2]:
        by_hand.decide(HandChange(segment=segment, act=HandChange.Act.OUT), ids)


def races() -> Iterator[Race]:
    """Ten times a thousand changed customers against fifty segments; then everybody."""
    populate()
    run(_LINES)
    run(_EVENTS, now=NOW)
    _make_segments()
    membership.refresh()
    batches = dirty_batches()
    _keep(batches)
    run("VACUUM ANALYZE")
    of_some, of_all = _statements(batches[0]), _statements(None)
    yield Race(
        f"50 segments, {DIRTY:,} changed customers of {CUSTOMERS:,}",
        "their statements alone",
        ours=lambda: _refresh(batches[0]),
        floor=lambda: _bare(of_some),
        goal=1.5,
        units=DIRTY,
        prepare=lambda: _change(batches[0]),
        prepare_floor=lambda: _change(batches[0]),
    )
    _check(batches[0])
    yield Race(
        f"50 segments, facts folded first, {DIRTY:,} changed customers of {CUSTOMERS:,}",
        "the same without the fold",
        ours=lambda: _react(batches[1]),
        floor=lambda: _refresh(batches[1]),
        goal=3,
        units=DIRTY,
        prepare=lambda: _change(batches[1]),
        prepare_floor=lambda: _change(batches[1]),
    )
    yield Race(
        f"50 segments, full pass over {CUSTOMERS:,}",
        "their statements alone",
        ours=membership.refresh,
        floor=lambda: _bare(of_all),
        goal=1.3,
        units=CUSTOMERS,
        prepare=lambda: _change(batches[2]),
        prepare_floor=lambda: _change(batches[2]),
    )
    run("DROP TABLE bench_members, bench_sizes")


def _refresh(customer_ids: Sequence[int]) -> None:
    """In one transaction, as the router does it."""
    with transaction.atomic():
        membership.refresh(customer_ids=customer_ids)


def _react(customer_ids: Sequence[int]) -> None:
    with transaction.atomic():
        folding.fold(customer_ids)
        membership.refresh(customer_ids=customer_ids)


def _keep(batches: Sequence[Sequence[int]]) -> None:
    """Where the customers who are about to change were."""
    ids = [customer_id for batch in batches for customer_id in batch]
    run(
        "CREATE TABLE bench_members AS SELECT * FROM customers_segmentmembership WHERE customer_id = ANY(%(ids)s)",
        ids=ids,
    )
    run("CREATE INDEX ON bench_members (customer_id)")
    run("CREATE TABLE bench_sizes AS SELECT id, size FROM customers_segment")


def _change(customer_ids: Sequence[int]) -> None:
    """These customers in the segments that they were in, and with other facts."""
    ids = list(customer_ids)
    run("DELETE FROM customers_event WHERE customer_id = ANY(%(ids)s) AND kind LIKE 'segment.%%'", ids=ids)
    run("DELETE FROM customers_segmentmembership WHERE customer_id = ANY(%(ids)s)", ids=ids)
    run("INSERT INTO customers_segmentmembership SELECT * FROM bench_members WHERE customer_id = ANY(%(ids)s)", ids=ids)
    run("UPDATE customers_segment s SET size = b.size FROM bench_sizes b WHERE b.id = s.id AND b.size <> s.size")
    _other_facts(ids)


def _other_facts(customer_ids: Sequence[int]) -> None:
    run(
        "UPDATE customers_customerfacts SET last_order_at = %(now)s - (orders + 1) * interval '20 days', "
        "revenue = 600 - revenue, orders = 1 + (orders + 3) %% 7 WHERE customer_id = ANY(%(ids)s)",
        now=clock.now(),
        ids=list(customer_ids),
    )


def _statements(customer_ids: Sequence[int] | None) -> list[tuple[Any, Any]]:
    """What the refreshes send: of some customers one statement, of everybody one for each segment."""
    moment = Moment(clock.now(), Workspace.current().zone)
    rules = {segment: references.whole(segment) for segment in Segment.objects.order_by("pk")}
    if customer_ids is not None:
        return [together.statement({segment.pk: rule for segment, rule in rules.items()}, customer_ids, moment)]
    return [
        membership.statement(segment, compiling.members(rule, moment), moment.now) for segment, rule in rules.items()
    ]


def _bare(statements: Sequence[tuple[Any, Any]]) -> None:
    """The statements as they are, with nothing around them."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement, params in statements:
            cursor.execute(statement, params)


def _check(customer_ids: Sequence[int]) -> None:
    """At one instant, since time alone moves customers too: after the small refresh a full pass moves nobody."""
    with clock.at(clock.now()):
        membership.refresh()
        _other_facts(customer_ids)
        moved = _moves(lambda: membership.refresh(customer_ids=customer_ids))
        if not moved or _moves(membership.refresh):
            raise AssertionError("a full pass finds other members than the small refreshes")


def _moves(work: Callable[[], object]) -> int:
    """How many customers enter or leave a segment by it."""
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    work()
    return Event.objects.filter(pk__gt=last, kind__in=["segment.entered", "segment.left"]).count()
