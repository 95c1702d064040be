"""Folding: the facts say what the records and events say, however they came about."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.events.recording import Happening, record
from customers.events.routing import claim
from customers.facts import dirty, folding
from customers.models import CustomerFacts, CustomerMonth, Dirty, MrrMovement, Order, StagePeriod
from retention.workspace.models import Workspace
from tests.customers.facts import oracle
from tests.customers.facts.world import DAY, World, customer
from tests.customers.router import route
from tests.customers.subscribing import subscription

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
FOLDED = [
    field.name
    for field in CustomerFacts._meta.fields
    if field.name not in ("customer", "stage_since", "next_edge_at", "folded_at")
    and not field.name.startswith("health")
]


def stored_facts() -> dict[int, dict[str, object]]:
    return {row.pop("customer_id"): row for row in CustomerFacts.objects.values("customer_id", *FOLDED)}


def stored_movements() -> dict[int, dict[tuple[str, date], tuple[str, Decimal]]]:
    found: dict[int, dict[tuple[str, date], tuple[str, Decimal]]] = defaultdict(dict)
    for row in MrrMovement.objects.all():
        found[row.customer_id][row.currency, row.day] = (row.kind, row.delta.quantize(Decimal("0.0001"), ROUND_HALF_UP))
    return found


def stored_months() -> set[tuple[object, ...]]:
    return set(CustomerMonth.objects.values_list(*(f.attname for f in CustomerMonth._meta.fields if f.name != "id")))


def use_zone(name: str, window: int = 90) -> tuple[ZoneInfo, timedelta]:
    Workspace.objects.update(time_zone=name, activity_window=window)
    return ZoneInfo(name), timedelta(days=window)


def test_it_works(at: Callable[[datetime], None]) -> None:
    at(NOW)
    who = customer(1)
    for days in (100, 60, 20):
        Order.objects.create(
            external_id=f"o{days}", customer=who, ordered_at=NOW - days * DAY, amount="12.50", currency="EUR"
        )
    record([Happening(who.id, "order.placed", NOW - 20 * DAY)])
    route()
    facts = CustomerFacts.objects.get(customer=who)
    assert (facts.orders, facts.revenue, facts.last_order_at) == (3, Decimal("37.5"), NOW - 20 * DAY)
    assert facts.order_gap_days == 40
    assert facts.stage == "active"
    assert facts.next_edge_at == NOW + 60 * DAY, "two gaps of 40 days after the last order they are at risk"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland"]))
def test_the_fold_equals_a_plain_reading_of_the_definitions(seed: int, zone: str) -> None:
    with transaction.atomic(), time_machine.travel(NOW, tick=False):
        where, window = use_zone(zone)
        world = World(seed, NOW, customers=6)
        world.grow(60)
        folding.fold([who.id for who in world.customers])
        for who in world.customers:
            expected = oracle.facts_of(who, NOW, where, window)
            assert stored_facts()[who.id] == expected
            months = CustomerMonth.objects.filter(customer=who)
            assert {row.month: {k: getattr(row, k) for k in cells} for row in months for cells in [_CELLS]} == (
                oracle.months_of(who, NOW, where)
            )
            assert stored_movements()[who.id] == oracle.movements_of(who, NOW, where)
        transaction.set_rollback(True)


_CELLS = [f"{figure}_{name}" for figure in ("cohort", "orders", "revenue") for name in ("all", "kept", "paid")]
_CELLS.append("orders_foreign")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), leaps=st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_step_by_step_equals_from_nothing(seed: int, leaps: list[int]) -> None:
    """After changes and leaps in time, routed as they come, the tables say what a fold from nothing says."""
    with transaction.atomic():
        use_zone("Europe/Berlin")
        world = World(seed, NOW, customers=6)
        for leap in leaps:
            world.now += leap * DAY
            with time_machine.travel(world.now, tick=False):
                world.grow(15)
                route()
        with time_machine.travel(world.now, tick=False):
            facts, months, movements = stored_facts(), stored_months(), stored_movements()
            for rollup in (CustomerFacts, CustomerMonth, MrrMovement):
                rollup.objects.all().delete()
            folding.fold(list(facts))
            assert (stored_facts(), stored_months(), stored_movements()) == (facts, months, movements)
        transaction.set_rollback(True)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), happenings=st.integers(1, 8))
def test_nothing_changes_by_time_alone_but_at_an_edge(seed: int, happenings: int) -> None:
    """Walked from edge to edge, the facts are right at each edge and until the last moment before the next."""
    with transaction.atomic():
        where, window = use_zone("UTC")
        world, now = World(seed, NOW, customers=1), NOW
        world.grow(happenings)
        for _ in range(12):
            with time_machine.travel(now, tick=False):
                folding.fold([world.customers[0].id])
            facts = CustomerFacts.objects.select_related("customer").get()
            stored = {name: getattr(facts, name) for name in FOLDED}
            assert stored == oracle.facts_of(facts.customer, now, where, window)
            edge = facts.next_edge_at or now + 4_000 * DAY
            assert edge > now
            moment_before = edge - timedelta(microseconds=1)
            assert stored == oracle.facts_of(facts.customer, moment_before, where, window)
            if facts.next_edge_at is None:
                break
            now = edge
        transaction.set_rollback(True)


def test_folding_again_writes_nothing(at: Callable[[datetime], None]) -> None:
    at(NOW)
    world = World(3, NOW, customers=5)
    world.grow(60)
    ids = [who.id for who in world.customers]
    folding.fold(ids)
    versions = _row_versions()
    folding.fold(ids)
    assert _row_versions() == versions


def _row_versions() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ctid, xmin, cmin FROM customers_customerfacts UNION ALL "
            "SELECT ctid, xmin, cmin FROM customers_customermonth UNION ALL "
            "SELECT ctid, xmin, cmin FROM customers_mrrmovement"
        )
        return list(cursor.fetchall())


def test_a_fold_is_a_fixed_number_of_statements(at: Callable[[datetime], None]) -> None:
    at(NOW)
    counts = []
    for customers in (2, 9):
        world = World(customers, NOW, customers=customers) if customers == 2 else _more(customers)
        with CaptureQueriesContext(connection) as queries:
            folding.fold([who.id for who in world.customers])
        counts.append(len(queries))
    assert counts[0] == counts[1]


def _more(customers: int) -> World:
    world = World(1, NOW, customers=0)
    world.customers = [customer(number) for number in range(100, 100 + customers)]
    world.grow(40)
    return world


def test_mrr_is_per_month(at: Callable[[datetime], None]) -> None:
    at(NOW)
    for number, (interval, expected) in enumerate(
        [("week", "43.3333"), ("month", "10"), ("quarter", "3.3333"), ("year", "0.8333")]
    ):
        who = customer(number)
        subscription(who, NOW, interval=interval)
        folding.fold([who.id])
        assert CustomerFacts.objects.get(customer=who).mrr == Decimal(expected)


def test_a_deleted_customer_is_passed_over(at: Callable[[datetime], None]) -> None:
    at(NOW)
    who = customer(1)
    folding.fold([who.id, who.id + 1_000])
    assert CustomerFacts.objects.count() == 1


def test_marks_are_taken_up_once(at: Callable[[datetime], None]) -> None:
    at(NOW)
    who = customer(1)
    dirty.mark([who.id, who.id, 999_999])
    dirty.mark([who.id])
    with transaction.atomic():
        assert claim(10).customer_ids == [who.id]
        assert not Dirty.objects.exists()


def test_unfolded_customers_are_found(at: Callable[[datetime], None]) -> None:
    at(NOW)
    folded, unfolded = customer(1), customer(2)
    folding.fold([folded.id])
    dirty.mark_unfolded()
    assert list(Dirty.objects.values_list("customer_id", flat=True)) == [unfolded.id]


def test_consequences_are_claimed_but_fold_nobody(at: Callable[[datetime], None]) -> None:
    at(NOW)
    who = customer(1)
    record([Happening(who.id, "segment.entered", NOW, payload={"segment": 1, "membership": 1})])
    with transaction.atomic():
        batch = claim(10)
    assert [event.kind for event in batch.events] == ["segment.entered"]
    assert batch.customer_ids == []
    assert not StagePeriod.objects.exists()


def test_a_changed_setting_has_everybody_looked_at_again(at: Callable[[datetime], None]) -> None:
    at(NOW)
    use_zone("UTC")
    who = customer(1)
    last_of_april = datetime(2026, 4, 30, 23, 30, tzinfo=UTC)
    Order.objects.create(external_id="o", customer=who, ordered_at=last_of_april, amount=10, currency="EUR")
    dirty.mark([who.id])
    route()
    assert CustomerMonth.objects.get().month.month == 4
    assert CustomerFacts.objects.get().stage == "new"
    use_zone("Europe/Berlin", window=10)
    route()
    assert CustomerMonth.objects.get().month.month == 5
    assert CustomerFacts.objects.get().stage == "lapsed"
