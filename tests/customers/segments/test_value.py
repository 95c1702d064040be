"""Value groups: fifths as ranks say, ties in the lower one, on a scale taken once a day."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, CustomerFacts, Segment, ValueScale
from customers.segments import membership, value
from customers.segments.operators import Moment
from tests.customers.facts.world import DAY, customer
from tests.customers.segments import oracle
from tests.customers.segments.test_compiling import picked
from tests.customers.segments.test_membership import inside

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
CHAMPIONS = {"field": "value_group", "op": "is", "value": "champions"}


def buyers(*histories: tuple[int, int, int]) -> list[CustomerFacts]:
    """Whole days since the last order, orders, revenue."""
    return [
        CustomerFacts.objects.create(
            customer=customer(number), last_order_at=NOW - days * DAY, orders=orders, revenue=revenue
        )
        for number, (days, orders, revenue) in enumerate(histories)
    ]


def fifths(values: list[float]) -> list[int]:
    """By rank, ties sharing the lowest, as the definition says."""
    return [5 * sum(other < each for other in values) // len(values) + 1 for each in values]


HISTORIES = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.integers(-5, 30)), min_size=1, max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=HISTORIES)
def test_fifths_are_those_of_the_ranks(histories: list[tuple[int, int, int]]) -> None:
    Customer.objects.all().delete()
    facts = buyers(*histories)
    CustomerFacts.objects.create(customer=customer(99))
    value.take(Moment(NOW, UTC))
    expected = [fifths([-days for days, _, _ in histories])]
    expected += [fifths([history[number] for history in histories]) for number in (1, 2)]
    assert [oracle.scores(one) for one in facts] == list(zip(*expected, strict=True))


def test_it_works() -> None:
    """Ten buyers, the later the more often: the best fifth are champions, the worst two hibernate."""
    facts = buyers(*[(10 * number, 10 - number, 100) for number in range(10)])
    value.take(Moment(NOW, UTC))
    assert picked(CHAMPIONS) == {facts[0].customer_id, facts[1].customer_id}
    hibernating: dict[str, Any] = {"field": "value_group", "op": "is", "value": "hibernating"}
    assert picked(hibernating) == {one.customer_id for one in facts[6:]}
    assert picked({"field": "value_money", "op": "equals", "value": 1}) == {one.customer_id for one in facts}


def test_every_pair_of_scores_has_one_group() -> None:
    for recency in range(1, 6):
        for frequency in range(1, 6):
            held = [group for group in value.GROUPS if recency in group.recency and frequency in group.frequency]
            assert len(held) == 1


def test_without_a_scale_no_value_is_known() -> None:
    buyers((1, 2, 3))
    assert picked({"field": "value_group", "op": "is_unknown"}) == set(Customer.objects.values_list("id", flat=True))


def test_the_scale_is_taken_anew_each_day_and_members_follow(at: Callable[[datetime], None]) -> None:
    at(NOW)
    facts = buyers(*[(10 * number, 10 - number, 100) for number in range(10)])
    CustomerFacts.objects.update(next_edge_at=None)
    value.take(Moment(NOW - DAY / 24, UTC))
    one = Segment.objects.create(name="Champions", rule=CHAMPIONS)
    membership.refresh_crossings()
    assert inside(one) == {facts[0].customer_id, facts[1].customer_id}
    CustomerFacts.objects.filter(pk=facts[9].pk).update(last_order_at=NOW, orders=50)
    at(NOW + DAY / 24)
    membership.refresh_crossings()
    assert facts[9].customer_id not in inside(one)
    membership.refresh(customer_ids=[facts[9].customer_id])
    assert facts[9].customer_id in inside(one)
    at(NOW + DAY)
    membership.refresh_crossings()
    assert inside(one) == {facts[0].customer_id, facts[9].customer_id}
    assert ValueScale.objects.get().taken_at == NOW + DAY


def test_a_company_that_sets_up_need_not_wait_a_day(at: Callable[[datetime], None]) -> None:
    at(NOW)
    value.take_if_due(Moment(NOW, UTC))
    assert ValueScale.objects.get().buyers == 0
    buyers((1, 2, 3), (4, 5, 6))
    value.take_if_due(Moment(NOW, UTC))
    assert ValueScale.objects.get().buyers == 2
