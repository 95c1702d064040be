"""Lifecycle stages: each rule at its boundary, the history, and the page that explains them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from customers.events.recording import Happening, record
from customers.facts import stages
from customers.models import Customer, CustomerFacts, Event, Order, Stage, StagePeriod
from tests.customers.facts.world import DAY, customer
from tests.customers.router import route
from tests.customers.subscribing import subscription

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def order(who: Customer, at: datetime) -> None:
    made = Order.objects.create(external_id=f"{who.id}-{at}", customer=who, ordered_at=at, amount=10, currency="EUR")
    record([Happening(who.id, "order.placed", at, ref=f"order:{made.id}")])


@dataclass(frozen=True)
class Case:
    """What happened, in days before `NOW`, and the stage at `NOW` and one moment earlier.

    Orders at these ages; a subscription from and, where it ended, until these ages; usage counts before and lately.
    """

    stage: Stage
    before: Stage
    orders: tuple[float, ...] = ()
    subscriptions: tuple[tuple[float, float | None], ...] = ()
    usage: tuple[int, int] = field(default=(0, 0))


@pytest.mark.parametrize(
    "case",
    [
        Case(Stage.NEW, Stage.PROSPECT, orders=(0,)),
        Case(Stage.AT_RISK, Stage.NEW, orders=(60,)),
        Case(Stage.LAPSED, Stage.AT_RISK, orders=(90,)),
        Case(Stage.LOST, Stage.LAPSED, orders=(360,)),
        Case(Stage.ACTIVE, Stage.NEW, orders=(90, 50)),
        Case(Stage.WON_BACK, Stage.LAPSED, orders=(100, 0)),
        Case(Stage.ACTIVE, Stage.WON_BACK, orders=(250, 90, 50)),
        Case(Stage.LOYAL, Stage.ACTIVE, orders=(50, 40, 20, 0)),
        Case(Stage.ACTIVE, Stage.LOYAL, orders=(365, 280, 200, 120)),
        Case(Stage.AT_RISK, Stage.ACTIVE, orders=(80, 60, 40)),  # own gap 20 days
        Case(Stage.LAPSED, Stage.AT_RISK, orders=(47, 46, 45)),  # own gap 1 day counts as 15
        Case(Stage.AT_RISK, Stage.ACTIVE, orders=(2180, 1180, 180)),  # own gap 1,000 days counts as 90
        Case(Stage.NEW, Stage.PROSPECT, subscriptions=((0, None),)),
        Case(Stage.ACTIVE, Stage.NEW, subscriptions=((90, None),)),
        Case(Stage.LOYAL, Stage.ACTIVE, subscriptions=((365, None),)),
        Case(Stage.LAPSED, Stage.LOYAL, subscriptions=((400, 0),)),
        Case(Stage.LOST, Stage.LAPSED, subscriptions=((800, 360),)),
        Case(Stage.WON_BACK, Stage.LAPSED, subscriptions=((100, 7), (0, None))),
        Case(Stage.ACTIVE, Stage.LAPSED, subscriptions=((100, 6.9), (0, None))),  # a change of plan
        Case(Stage.ACTIVE, Stage.ACTIVE, subscriptions=((100, None),), usage=(10, 7)),
        Case(Stage.AT_RISK, Stage.AT_RISK, subscriptions=((100, None),), usage=(10, 6)),
        Case(Stage.ACTIVE, Stage.ACTIVE, subscriptions=((100, None),), usage=(9, 0)),
        Case(Stage.NEW, Stage.NEW, subscriptions=((80, None),), orders=(700,)),  # the subscription goes first
        Case(Stage.ACTIVE, Stage.ACTIVE, subscriptions=((800, 200),), orders=(150, 100, 50)),  # buys since it ended
    ],
    ids=str,
)
def test_each_rule_begins_at_its_boundary(case: Case, at: Callable[[datetime], None]) -> None:
    who = customer(1)
    for age in case.orders:
        order(who, NOW - age * DAY)
    for start, end in case.subscriptions:
        ended_at = None if end is None else NOW - end * DAY
        subscription(who, NOW - start * DAY, ended_at)
    before, lately = case.usage
    record(Happening(who.id, "usage", NOW - 45 * DAY) for _ in range(before))
    record(Happening(who.id, "usage", NOW - 15 * DAY) for _ in range(lately))
    record([Happening(who.id, "customer.created", NOW - 900 * DAY)])
    at(NOW - MOMENT)
    route()
    assert CustomerFacts.objects.get().stage == case.before
    at(NOW)
    route()
    assert CustomerFacts.objects.get().stage == case.stage


def test_time_alone_moves_a_customer_and_history_tells(at: Callable[[datetime], None]) -> None:
    at(NOW)
    who = customer(1)
    order(who, NOW)
    for days in (0, 1, 60, 61, 90, 360):
        at(NOW + days * DAY)
        route()
    order(who, NOW + 360 * DAY)
    route()
    periods = StagePeriod.objects.order_by("id").values_list("stage", "entered_at", "left_at")
    assert list(periods) == [
        ("new", NOW, NOW + 60 * DAY),
        ("at_risk", NOW + 60 * DAY, NOW + 90 * DAY),
        ("lapsed", NOW + 90 * DAY, NOW + 360 * DAY),
        ("lost", NOW + 360 * DAY, NOW + 360 * DAY),
        ("won_back", NOW + 360 * DAY, None),
    ]
    moves = Event.objects.filter(kind="stage.changed").order_by("id").values_list("payload", flat=True)
    assert list(moves) == [
        {"from": "new", "to": "at_risk", "why": "no order for 2 expected gaps"},
        {"from": "at_risk", "to": "lapsed", "why": "no order for 3 expected gaps"},
        {"from": "lapsed", "to": "lost", "why": "no order for 12 expected gaps"},
        {
            "from": "lost",
            "to": "won_back",
            "why": "ordered again after one activity window without an order, less than one activity window ago",
        },
    ]
    assert CustomerFacts.objects.get().stage_since == NOW + 360 * DAY


def test_settling_twice_moves_nobody_twice(at: Callable[[datetime], None]) -> None:
    at(NOW)
    who = customer(1)
    order(who, NOW)
    route()
    CustomerFacts.objects.update(stage=Stage.LOYAL)
    for _ in range(2):
        stages.record_moves([who.id], NOW, 90 * DAY)
    assert Event.objects.filter(kind="stage.changed").count() == 1
    assert StagePeriod.objects.filter(left_at=None).get().stage == Stage.LOYAL


def test_every_stage_has_a_rule_and_every_basis_ends_in_one_that_always_applies() -> None:
    assert {rule.stage for basis in stages.BASES for rule in basis.rules} == set(Stage)
    assert all(basis.rules[-1].sql == "TRUE" for basis in stages.BASES)
    assert stages.BASES[-1].sql == "TRUE"


def test_the_page_prints_the_rules() -> None:
    page = (settings.BASE_DIR / "docs" / "lifecycle.md").read_text()
    for basis in stages.BASES:
        table = "\n".join(f"| {rule.stage.label} | {rule.when} |" for rule in basis.rules)
        assert f"**{basis.name}**: {basis.who}" in page
        assert table in page
