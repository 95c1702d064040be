"""NPS of a window: each respondent's latest answer in it, staff's typing left out, segments side by side."""

from typing import Any

import pytest

from customers.models import Customer, Segment
from metrics.satisfaction import Answers, by_segment, distribution
from metrics.scope import Scope
from surveys.models import Answer, Survey
from surveys.scoring import nps
from tests.metrics.worlds import customer, instant, scope, segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey(db: None) -> Survey:
    return Survey.objects.create(name="NPS", question="How likely?", follow_up="Why?", thanks="Thanks")


def answer(survey: Survey, who: Customer, day: str, score: int, **more: Any) -> None:
    Answer.objects.create(survey=survey, customer=who, answered_at=instant(day), score=score, **more)


def names(where: Scope, part: str) -> set[str]:
    return set(Customer.objects.filter(pk__in=Answers().behind(where, part)).values_list("name", flat=True))


def test_it_works(survey: Survey) -> None:
    changes = customer("changes their mind")
    answer(survey, changes, "2026-03-02", 2)
    answer(survey, changes, "2026-03-20", 10)
    answer(survey, changes, "2026-04-02", 3)
    answer(survey, customer("passive"), "2026-03-05", 8)
    answer(survey, customer("unhappy"), "2026-03-05", 6)
    answer(survey, customer("by phone"), "2026-03-05", 0, typed_in=True)
    march = scope("2026-03-01", "2026-04-01")
    (found,) = Answers().figures(march)["nps"]
    assert found.value == 0
    assert found.interval is not None
    assert found.interval.low < 0 < found.interval.high
    assert [part.customers for part in found.parts] == [1, 3, 1, 1, 1]
    assert names(march, "promoters") == {"changes their mind"}
    assert names(march, "detractors") == {"unhappy"}
    assert names(march, "typed_in") == {"by phone"}
    assert [tally.customers for tally in distribution(march)] == [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1]


def test_a_trend_counts_each_window_for_itself(survey: Survey, django_assert_num_queries: Any) -> None:
    who = customer()
    answer(survey, who, "2026-02-10", 9)
    answer(survey, who, "2026-03-10", 0)
    march = scope("2026-03-01", "2026-04-01")
    with django_assert_num_queries(2):
        trend = Answers().figures(march, march.window.series(3))["nps"]
    assert [point.value for point in trend] == [None, 100, -100]
    assert [point.interval for point in trend] == [None, None, None], "one answer says nothing of how sure it is"


def test_it_is_the_score_that_the_surveys_count(survey: Survey) -> None:
    for score, weight in ((10, 2.5), (9, 1), (7, 1), (3, 1.5)):
        answer(survey, customer(), "2026-03-10", score, weight=weight)
    (found,) = Answers().figures(scope("2026-03-01", "2026-04-01"))["nps"]
    assert found.value == pytest.approx(nps(Answer.objects.all()).score)
    assert found.value == pytest.approx(100 * (3.5 - 1.5) / 6)


def test_segments_side_by_side(survey: Survey) -> None:
    happy, unhappy, former = customer("happy"), customer("unhappy"), customer("former")
    for who, score in ((happy, 10), (unhappy, 1), (former, 1)):
        answer(survey, who, "2026-03-10", score)
    segment("Silent")
    segment("Happy", happy)
    mixed = segment("Mixed", happy, unhappy, former)
    mixed.memberships.filter(customer=former).update(left_at=instant("2026-06-02"))
    march = scope("2026-03-01", "2026-04-01")
    found = by_segment(march)
    assert [(figure.segment, figure.value) for figure in found] == [("Happy", 100), ("Mixed", 0)]
    for figure in found:
        one = scope("2026-03-01", "2026-04-01", segment=Segment.objects.get(name=figure.segment))
        (same,) = Answers().figures(one)["nps"]
        assert same.value == figure.value
        assert same.numerator == figure.numerator


def test_nobody_answered(survey: Survey) -> None:
    (found,) = Answers().figures(scope("2026-03-01", "2026-04-01"))["nps"]
    assert found.value is None
    assert found.definition.nothing == "no answers"
