"""Drops and recoveries: each is recorded once, however it comes about and whatever is repeated."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection

from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.health import drops, scoring
from customers.models import Customer, CustomerFacts, Event, Health, HealthChange, HealthProfile, HealthSettings
from tests.customers.facts.world import DAY, customer
from tests.customers.router import route

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
At = Callable[[datetime], None]
ONLY_NPS = {"nps": {"weight": 1, "worst": 0, "best": 10}}


class Told:
    """A customer whose health is ten times what they answered last."""

    def __init__(self, at: At) -> None:
        self.at, self.days = at, 0.0
        at(NOW)
        HealthProfile.objects.create(name="NPS", inputs=ONLY_NPS, version=1)
        self.who = customer(1)

    def answers(self, *scores: int, every: float = 1) -> list[tuple[str, int, int]]:
        """After so many days each; gives the drops and recoveries so far, each with what from and what to."""
        for score in scores:
            self.days += every
            self.at(NOW + self.days * DAY)
            record([Happening(self.who.pk, "survey.answered", NOW + self.days * DAY, payload={"score": score})])
            route()
        return self.events

    @property
    def events(self) -> list[tuple[str, int, int]]:
        told = Event.objects.filter(kind__startswith="health.").order_by("id").values_list("kind", "payload")
        return [(kind.removeprefix("health."), payload["from"], payload["to"]) for kind, payload in told]


@pytest.fixture
def told(at: At) -> Told:
    return Told(at)


def test_it_works(told: Told) -> None:
    assert told.answers(9) == []
    assert told.answers(6) == [("dropped", 90, 60)]
    event = Event.objects.get(kind="health.dropped")
    assert event.payload["reason"] == "Would recommend went from 90 to 60 points"
    assert CustomerFacts.objects.get(customer=told.who).health_dropped_at == NOW + 2 * DAY
    assert list(HealthChange.objects.order_by("at").values_list("score", "band")) == [(90, "good"), (60, "watch")]
    assert told.answers(9) == [("dropped", 90, 60), ("recovered", 60, 90)]
    assert CustomerFacts.objects.get(customer=told.who).health_dropped_at == NOW + 2 * DAY


def test_a_fall_in_steps_is_one_drop(told: Told) -> None:
    HealthSettings.objects.create(id=1, drop_points=20, drop_by_band=False)
    assert told.answers(10, 9) == []
    assert told.answers(8) == [("dropped", 100, 80)]
    assert told.answers(7) == [("dropped", 100, 80)]
    assert told.answers(6) == [("dropped", 100, 80), ("dropped", 80, 60)], "as much again is another"


def test_a_slow_fall_is_none(told: Told) -> None:
    HealthSettings.objects.create(id=1, drop_points=20, drop_days=10, drop_by_band=False)
    assert told.answers(10, 9, 8, 7, every=11) == []


def test_a_worse_band_is_a_drop_however_small_the_fall(told: Told) -> None:
    HealthSettings.objects.create(id=1, drop_points=50)
    assert told.answers(7, 6) == [("dropped", 70, 60)]
    assert told.answers(5, 4) == [("dropped", 70, 60)], "the same band"
    assert told.answers(3) == [("dropped", 70, 60), ("dropped", 60, 30)]


def test_the_edge_of_two_bands_is_crossed_once(told: Told) -> None:
    HealthSettings.objects.create(id=1, good_from=59, drop_points=50)
    HealthProfile.objects.update(inputs={"nps": {"weight": 1, "worst": -20, "best": 30}})
    assert told.answers(10, 9, 10, 9, 10, 9) == [("dropped", 60, 58)], "two points up are no recovery"


def test_other_weights_are_no_drop(told: Told) -> None:
    told.answers(9)
    HealthProfile.objects.update(inputs={"nps": {"weight": 1, "worst": 8, "best": 10}}, version=2)
    dirty.mark([told.who.pk])
    route()
    assert Health.objects.get().score == 50
    assert told.events == []
    assert told.answers(8) == [("dropped", 50, 0)]


def test_what_is_no_longer_known_did_not_drop(told: Told, at: At) -> None:
    told.answers(9)
    at(NOW + 400 * DAY)
    route()
    assert Health.objects.get().score is None
    assert told.events == []


def test_scoring_again_records_nothing_again(told: Told) -> None:
    once = told.answers(9, 3)
    for _ in range(2):
        dirty.mark([told.who.pk])
        route()
    assert told.events == once == [("dropped", 90, 30)]


def forget(who: Customer) -> None:
    """As if what was kept of the drop had been lost with the server: the health is again as it was before it."""
    Health.objects.filter(customer=who).update(
        score=90, band="good", judged_since=NOW + DAY, fell_from=None, fell_to=None
    )


def test_the_same_drop_is_not_recorded_twice_even_where_it_is_found_twice(told: Told) -> None:
    told.answers(9, 3)
    forget(told.who)
    scoring.score([told.who.pk], NOW + 2 * DAY)
    assert told.events == [("dropped", 90, 30)]


def test_a_planted_bug_records_it_twice(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test before proves something: with a key that is always new it would fail."""
    told.answers(9, 3)
    forget(told.who)
    real = drops.statement
    monkeypatch.setattr(drops, "statement", lambda scored: real(scored).replace(drops._KEY, "gen_random_uuid()::text"))
    scoring.score([told.who.pk], NOW + 2 * DAY)
    assert told.events == [("dropped", 90, 30)] * 2


def test_the_database_refuses_bands_out_of_order() -> None:
    with pytest.raises(IntegrityError), connection.cursor():
        HealthSettings.objects.create(id=1, good_from=30, watch_from=60)
