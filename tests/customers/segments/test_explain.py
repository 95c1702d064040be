"""Why in, why out: the verdict is the segment's own, and the words say what was found."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.facts import folding
from customers.models import Order, Segment
from customers.segments import compiling, references
from customers.segments.explain import Finding, explain
from customers.segments.operators import Moment
from customers.segments.wording import Words, describe
from tests.customers.facts.world import DAY, customer
from tests.customers.segments.people import populated
from tests.customers.segments.strategies import RULES_WITH_CUSTOM

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
MOMENT = Moment(NOW, UTC)
WORDS = Words(UTC, "EUR", {"7": "Ada"})


def lines(finding: Finding, depth: int = 0) -> list[tuple[int, str, bool, str]]:
    below = [line for part in finding.parts for line in lines(part, depth + 1)]
    return [(depth, finding.text, finding.met, finding.found), *below]


def test_it_works(at: Callable[[datetime], None]) -> None:
    at(NOW)
    who, other = (
        customer(1),
        Segment.objects.create(name="Ordered", rule={"field": "orders", "op": "at_least", "value": 1}),
    )
    for days in (130, 61):
        Order.objects.create(
            external_id=str(days), customer=who, ordered_at=NOW - days * DAY, amount=1234, currency="EUR"
        )
    folding.fold([who.id])
    rule = references.read(
        {
            "all": [
                {"field": "orders", "op": "at_least", "value": 3},
                {"field": "last_order_at", "op": "more_than_days_ago", "value": 60},
                {"field": "revenue", "op": "more_than", "value": 1000},
                {"not": {"any": [{"field": "country", "op": "is", "value": "France"}]}},
                {"field": "segment", "op": "is_in", "value": other.id},
                {"field": "events.usage", "op": "at_most", "value": {"times": 1, "days": 30}},
            ]
        }
    )
    finding = explain(rule, who.id, MOMENT, WORDS)
    assert finding is not None
    assert lines(finding) == [
        (0, "All of these", False, ""),
        (1, "Number of orders is at least 3", False, "2"),
        (1, "Last order was more than 60 days ago", True, "15 Mar 2026, 61 days ago"),
        (1, "Revenue is more than 1,000.00 EUR", True, "2,468.00 EUR"),
        (1, "None of these", True, ""),
        (2, "Country is “France”", False, "not known"),
        (1, "Is in the segment “Ordered”", True, ""),
        (2, "Number of orders is at least 1", True, "2"),
        (1, "Used the product at most once in the last 30 days", True, "never"),
    ]


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32), written=st.lists(RULES_WITH_CUSTOM, min_size=15, max_size=15))
def test_the_verdict_is_the_segments_own(seed: int, written: list[dict[str, Any]]) -> None:
    with transaction.atomic(), time_machine.travel(NOW, tick=False):
        world = populated(seed, NOW, customers=4, happenings=40)
        for data in written:
            rule = references.read(data)
            query = compiling.members(rule, MOMENT)
            with connection.cursor() as cursor:
                cursor.execute(query.text, query.params)
                picked = {customer_id for (customer_id,) in cursor.fetchall()}
            for who in world.customers:
                with CaptureQueriesContext(connection) as queries:
                    finding = explain(rule, who.id, MOMENT, WORDS)
                assert len(queries) == 1
                assert finding is not None
                assert finding.met == (who.id in picked), data
        transaction.set_rollback(True)


def test_nobody_is_explained_before_they_have_facts() -> None:
    assert (
        explain(references.read({"field": "orders", "op": "at_least", "value": 0}), customer(1).id, MOMENT, WORDS)
        is None
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"field": "stage", "op": "is_any_of", "value": ["lost", "at_risk"]}, "Lifecycle stage is Lost or At risk"),
        ({"field": "owner", "op": "is", "value": "7"}, "Account manager is Ada"),
        ({"field": "owner", "op": "is_not", "value": "8"}, "Account manager is not someone who is no longer here"),
        ({"field": "has_email", "op": "is", "value": "yes"}, "Has an e-mail address is yes"),
        ({"field": "renews_at", "op": "in_next_days", "value": 1}, "Renewal is in the next 1 day"),
        ({"field": "joined_at", "op": "before", "value": "2026-05-01"}, "Joined was before 1 May 2026"),
        (
            {"field": "usage_change", "op": "at_most", "value": -40},
            "Usage change on the 30 days before is at most -40 %",
        ),
        ({"field": "tags", "op": "has", "value": "vip"}, "Tags include “vip”"),
        ({"field": "nps_score", "op": "is_unknown"}, "Latest NPS answer is not known"),
        ({"field": "attributes.seats", "op": "at_least", "value": 2.50}, "seats is at least 2.5"),
        ({"field": "name", "op": "contains", "value": "{field} {value}"}, "Name contains “{field} {value}”"),
    ],
)
def test_conditions_in_words(written: dict[str, Any], words: str) -> None:
    assert describe(references.read(written), WORDS).text == words
