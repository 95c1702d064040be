"""Scoring: health follows its formula, for those who changed as for everybody, and as time passes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.health import inputs
from customers.health.inputs import Input
from customers.health.profiles import ready_made, rulers
from customers.models import Customer, CustomerFacts, Health, HealthChange, HealthProfile, Order, Segment
from customers.segments import membership
from tests.customers.facts.world import DAY, World, customer
from tests.customers.health import oracle
from tests.customers.router import route

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
At = Callable[[datetime], None]


def use(who: Customer, days_ago: float, times: int = 1) -> None:
    record(Happening(who.pk, "usage", NOW - days_ago * DAY) for _ in range(times))


def health(who: Customer) -> Health:
    return Health.objects.get(customer=who)


def stored() -> dict[int, dict[str, Any]]:
    names = ("score", "band", "coverage", "parts", "version", "next_edge_at")
    return {row.pop("customer_id"): row for row in Health.objects.values("customer_id", *names)}


def assert_as_defined(now: datetime) -> None:
    """Everybody's health is what the definitions give, and so are the facts that lists read."""
    for who in Customer.objects.all():
        kept, wanted = health(who), oracle.judge(who, ready_made(), now)
        told = {key: got for key, (_, got, _) in kept.parts.items()}
        assert (kept.score, kept.band, kept.coverage, told) == (
            wanted.score,
            wanted.band,
            wanted.coverage,
            wanted.points,
        )
        facts = CustomerFacts.objects.get(customer=who)
        assert (facts.health, facts.health_band) == (kept.score, kept.band)


def test_it_works(at: At) -> None:
    at(NOW)
    who = customer(1)
    use(who, 45, times=20)
    use(who, 5, times=10)
    record([Happening(who.pk, "survey.answered", NOW - DAY, payload={"score": 10})])
    route()
    # Usage fell by half: 50 of 60 points of the way from -20 to -80 lost. Weights 3 and 3 and 2 of 12.
    assert health(who).parts["usage_trend"] == [-50.0, 50, 3]
    assert health(who).parts["recency"][1:] == [100, 3]
    assert health(who).parts["cases"] == [None, None, 1]
    assert (health(who).score, health(who).band, health(who).coverage) == (81, "good", 67)
    assert round((3 * 50 + 3 * 100 + 2 * 100) / 8) == 81


def test_missing_data_lowers_the_coverage_and_not_the_score(at: At) -> None:
    at(NOW)
    who = customer(1)
    Order.objects.create(external_id="o", customer=who, ordered_at=NOW - DAY, amount=10, currency="EUR")
    dirty.mark([who.pk])
    route()
    assert (health(who).score, health(who).coverage) == (100, 33)


def test_too_little_known_is_no_score(at: At) -> None:
    at(NOW)
    who = customer(1)
    record([Happening(who.pk, "survey.answered", NOW, payload={"score": 1})])
    route()
    assert (health(who).score, health(who).band, health(who).coverage) == (None, "", 17)
    assert not HealthChange.objects.exists(), "nothing known is no history"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), days=st.lists(st.sampled_from([0.0, 1.0, 7.6, 15.0, 40.25]), max_size=3))
def test_following_the_changes_equals_scoring_everybody(seed: int, days: list[float]) -> None:
    with transaction.atomic():
        now = NOW
        world = World(seed, now, customers=3)
        with time_machine.travel(now, tick=False):
            world.grow(25)
            dirty.mark_where(Customer.objects.all())
            route()
            assert_as_defined(now)
        for passed in days:
            now += passed * DAY
            world.now = now
            with time_machine.travel(now, tick=False):
                world.grow(3)
                route()
                assert_as_defined(now)
        followed = stored()
        with time_machine.travel(now, tick=False):
            Health.objects.all().delete()
            dirty.mark_where(Customer.objects.all())
            route()
        assert stored() == followed
        transaction.set_rollback(True)


def test_an_age_counts_in_steps_and_each_comes_by_itself(at: At) -> None:
    at(NOW)
    who = customer(1)
    use(who, 0)
    use(who, 0)
    HealthProfile.objects.create(name="All", inputs={"recency": {"weight": 1, "worst": 30, "best": 10}})
    route()
    seen = []
    while (edge := health(who).next_edge_at) is not None:
        at(edge)
        route()
        seen.append(((edge - NOW) / DAY, health(who).score))
    # The next use is expected in 14 days; from 10 days late on it falls, a tenth every two days.
    assert [(day, score) for day, score in seen if day in (26, 34, 44)] == [(26, 90), (34, 50), (44, 0)]
    assert seen[-1][0] <= 60, "then time alone changes nothing more"


def test_nothing_is_written_where_nothing_changed(at: At) -> None:
    at(NOW)
    world = World(7, NOW, customers=3)
    world.grow(30)
    route()
    before = {row.pk: row.scored_at for row in Health.objects.all()}
    at(NOW + DAY / 24)
    dirty.mark_where(Customer.objects.filter(pk=world.customers[0].pk))
    history = HealthChange.objects.count()
    edges = set(Health.objects.filter(next_edge_at__lte=NOW + DAY / 24).values_list("pk", flat=True))
    route()
    assert {row.pk for row in Health.objects.all() if row.scored_at != before[row.pk]} <= edges
    assert HealthChange.objects.count() <= history + len(edges)


def test_the_first_profile_that_fits_is_theirs(at: At) -> None:
    at(NOW)
    used, rest = customer(1), customer(2)
    use(used, 1, times=12)
    record([Happening(rest.pk, "survey.answered", NOW, payload={"score": 9})])
    users = segment("Users", {"field": "usage_30d", "op": "at_least", "value": 1})
    everybody = segment("Everybody", {"field": "open_tasks", "op": "at_least", "value": 0})
    by = {"nps": {"weight": 1, "worst": 0, "best": 10}}
    HealthProfile.objects.create(name="Users", segment=users, position=1, inputs=by, version=1)
    HealthProfile.objects.create(name="Everybody", segment=everybody, position=2, inputs=by, version=2)
    HealthProfile.objects.create(name="Rest", inputs=ready_made(), version=3)
    route()
    assert [(health(used).version, health(used).score), (health(rest).version, health(rest).score)] == [
        (1, None),
        (2, 90),
    ]
    assert [ruler.version for ruler in rulers()] == [1, 2, 3]


def test_whoever_enters_a_profile_s_segment_is_measured_by_it(at: At) -> None:
    at(NOW)
    who = customer(1)
    use(who, 1)
    quiet = segment("Quiet", {"field": "last_usage_at", "op": "more_than_days_ago", "value": 20})
    HealthProfile.objects.create(name="Quiet", segment=quiet, position=1, inputs=ready_made(), version=4)
    membership.refresh()
    route()
    assert health(who).version == 0
    at(NOW + 20 * DAY)
    route()
    membership.refresh_crossings()
    route()
    assert health(who).version == 4


def segment(name: str, rule: dict[str, Any]) -> Segment:
    return Segment.objects.create(name=name, rule={"all": [rule]})


def test_a_key_names_one_input() -> None:
    recency = inputs.every()["recency"]
    inputs.add(recency)
    with pytest.raises(ValueError, match="recency"):
        inputs.add(Input("recency", "Other", "", "1", worst=0, best=1, weight=1, told=str))
