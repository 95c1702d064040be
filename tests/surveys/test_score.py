"""NPS against figures that others worked out (data/REFERENCE.md §6), and against its own rules."""

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer
from surveys.models import Answer, Survey
from surveys.scoring import Nps, nps

DAY = datetime(2017, 5, 1, tzinfo=UTC)


def of(scores: list[int], weights: list[float] | None = None) -> Nps:
    """The tallies of distinct respondents, without a database."""
    weights = weights or [1.0] * len(scores)
    pairs = list(zip(scores, weights, strict=True))
    return Nps(
        promoters=sum(score >= 9 for score in scores),
        passives=sum(7 <= score <= 8 for score in scores),
        detractors=sum(score <= 6 for score in scores),
        promoter_weight=sum(weight for score, weight in pairs if score >= 9),
        detractor_weight=sum(weight for score, weight in pairs if score <= 6),
        total_weight=sum(weights),
        squared_weight=sum(weight**2 for weight in weights),
    )


def ask(survey: Survey, said: list[tuple[int, float]]) -> None:
    start = Customer.objects.count()
    everyone = Customer.objects.bulk_create(Customer(external_id=f"r{start + i}") for i in range(len(said)))
    Answer.objects.bulk_create(
        Answer(survey=survey, customer=customer, score=score, weight=weight, answered_at=DAY)
        for customer, (score, weight) in zip(everyone, said, strict=True)
    )


@pytest.mark.django_db
def test_it_works(survey: Survey) -> None:
    """The toy of the bigfunctions documentation."""
    ask(survey, [(score, 1) for score in (9, 10, 6, 8)])
    found = nps(Answer.objects.all())
    assert (found.promoters, found.passives, found.detractors, found.respondents) == (2, 1, 1, 4)
    assert found.score == 25


@pytest.mark.django_db
def test_the_airport_of_san_francisco(survey: Survey, shared: Path) -> None:
    """2,746 real respondents; code 11 and blank left out (REFERENCE §6)."""
    with gzip.open(shared / "sfo_survey_2017/2017_SFO_Customer_Survey.csv.gz", "rt", encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["NETPRO"].isdigit() and int(row["NETPRO"]) <= 10]
    ask(survey, [(int(row["NETPRO"]), 1) for row in rows])
    plain = nps(Answer.objects.all())
    assert (plain.respondents, plain.promoters, plain.detractors) == (2746, 1436, 342)
    assert plain.score == pytest.approx(39.83976693372178, abs=1e-12)
    assert plain.margin == pytest.approx(1.96 * 1.3341371334870167, rel=1e-12)

    Answer.objects.all().delete()
    ask(survey, [(int(row["NETPRO"]), float(row["WEIGHT"])) for row in rows])
    weighted = nps(Answer.objects.all())
    assert weighted.score == pytest.approx(40.39843551170742, abs=1e-9)
    assert weighted.respondents == 2746
    assert weighted.margin is not None
    assert plain.margin is not None
    assert weighted.margin > plain.margin


def test_the_worked_margin() -> None:
    """Cross Validated, "How to calculate the margin of error in a NPS result": 1/2, 1/3, 1/6 of 324."""
    found = of([10] * 162 + [8] * 108 + [0] * 54)
    assert found.score == pytest.approx(100 / 3)
    assert found.margin == pytest.approx(8.115949449783162, rel=2e-5)  # its z is 1.959964, ours 1.96


@pytest.mark.django_db
def test_nobody_answered_is_no_score(survey: Survey) -> None:
    found = nps(Answer.objects.all())
    assert (found.respondents, found.score, found.margin) == (0, None, None)


@pytest.mark.django_db
def test_each_respondent_counts_with_the_latest_answer_in_the_window(survey: Survey) -> None:
    ask(survey, [(10, 1), (10, 1)])
    first = Answer.objects.order_by("pk")[0]
    for score, days in ((0, 30), (9, 20), (3, 90)):
        Answer.objects.create(
            survey=survey, customer=first.customer, score=score, answered_at=DAY + timedelta(days=days)
        )
    month = Answer.objects.filter(answered_at__lt=DAY + timedelta(days=60))
    assert nps(month).score == 0  # the 0 on day 30 is the latest of those 60 days
    assert nps(Answer.objects.all()).detractors == 1
    assert nps(Answer.objects.filter(answered_at__lt=DAY + timedelta(days=30))).score == 100


@pytest.mark.django_db
def test_what_staff_typed_in_counts_for_nothing(survey: Survey) -> None:
    ask(survey, [(10, 1)])
    only = Answer.objects.get()
    Answer.objects.create(
        survey=survey, customer=only.customer, score=0, typed_in=True, answered_at=DAY + timedelta(days=1)
    )
    found = nps(Answer.objects.all())
    assert (found.respondents, found.score) == (1, 100)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=300))
def test_a_score_stays_in_its_range_and_turns_with_its_answers(scores: list[int]) -> None:
    found = of(scores)
    assert found.score is not None
    assert -100 <= found.score <= 100
    if found.margin is None:
        assert abs(found.score) in (0, 100)
    else:
        assert 0 < found.margin <= 196
    assert found.respondents == len(scores)


@pytest.mark.parametrize("scores", [[0], [10] * 40, [7, 8, 8]])
def test_answers_all_of_one_kind_say_nothing_of_the_margin(scores: list[int]) -> None:
    assert of(scores).margin is None


@given(st.lists(st.integers(0, 10), min_size=1, max_size=50), st.floats(0.01, 100))
def test_equal_weights_change_nothing(scores: list[int], weight: float) -> None:
    plain, weighted = of(scores), of(scores, [weight] * len(scores))
    assert weighted.score == pytest.approx(plain.score, abs=1e-9)
    assert (weighted.margin or 0) == pytest.approx(plain.margin or 0, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 5)), min_size=1, max_size=40))
def test_a_whole_weight_is_that_many_like_respondents(said: list[tuple[int, int]]) -> None:
    weighted = of([score for score, _ in said], [float(weight) for _, weight in said])
    repeated = of([score for score, weight in said for _ in range(weight)])
    assert weighted.score == pytest.approx(repeated.score, abs=1e-9)
