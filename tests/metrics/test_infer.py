"""Intervals and tests against published figures: REFERENCE §4 (Hillstrom), computed here from the raw file."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path
from statistics import fmean, variance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.inference import (
    Interval,
    Sample,
    Share,
    auc,
    auc_interval,
    check_split,
    chi_square_tail,
    compare_means,
    compare_shares,
    place,
    wilson,
)

Arms = dict[str, dict[str, list[float]]]


@pytest.fixture(scope="module")
def arms(shared: Path) -> Arms:
    seen: Arms = defaultdict(lambda: defaultdict(list))
    with gzip.open(shared / "hillstrom" / "hillstrom.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            for outcome in ("visit", "conversion", "spend"):
                seen[row["segment"].split()[0]][outcome].append(float(row[outcome]))
    return seen


def share(arms: Arms, arm: str, outcome: str) -> Share:
    return Share(int(sum(arms[arm][outcome])), len(arms[arm][outcome]))


def sample(arms: Arms, arm: str) -> Sample:
    spend = arms[arm]["spend"]
    return Sample(len(spend), fmean(spend), variance(spend))


@pytest.mark.parametrize(
    ("arm", "outcome", "difference", "lift", "low", "high", "z", "p"),
    [
        ("Mens", "visit", 0.07658956365153125, 0.721404616781399, 0.06995350121810838, 0.08322562608495411,
         22.48604082719282, 5.69e-112),
        ("Mens", "conversion", 0.006805006519615695, 1.188421876286328, 0.005000171380452313, 0.008609841658779076,
         7.385114410925771, 1.5232235005955427e-13),
        ("Womens", "visit", 0.045233106587052985, 0.42605507026691014, 0.03889382581264261, 0.05157238736146336,
         13.949180655258505, 3.18e-44),
        ("Womens", "conversion", 0.003111057511085258, 0.5433130436982172, 0.0014986778214022348, 0.004723437200768281,
         3.77956095835785, 0.00015710512910668448),
    ],
)  # fmt: skip
def test_shares_equal_hillstrom(
    arms: Arms, arm: str, outcome: str, difference: float, lift: float, low: float, high: float, z: float, p: float
) -> None:
    found = compare_shares(share(arms, arm, outcome), share(arms, "No", outcome))
    assert found is not None
    assert found.interval is not None
    assert found.difference == pytest.approx(difference, rel=1e-12)
    assert found.lift == pytest.approx(lift, rel=1e-12)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=1e-12)
    assert found.z == pytest.approx(z, rel=1e-12)
    assert found.p == pytest.approx(p, rel=1e-2 if p < 1e-20 else 1e-9)


@pytest.mark.parametrize(
    ("arm", "difference", "lift", "low", "high", "t"),
    [
        ("Mens", 0.7698271558945368, 1.1792887703620063, 0.48514912892878365, 1.0545051828602898, 5.300140358411669),
        ("Womens", 0.4244122159365967, 0.6501518638646862, 0.16896450721722805, 0.6798599246559653, 3.2563715760253924),
    ],
)  # fmt: skip
def test_means_equal_hillstrom(
    arms: Arms, arm: str, difference: float, lift: float, low: float, high: float, t: float
) -> None:
    found = compare_means(sample(arms, arm), sample(arms, "No"))
    assert found is not None
    assert found.interval is not None
    assert found.difference == pytest.approx(difference, rel=1e-11)
    assert found.lift == pytest.approx(lift, rel=1e-11)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=1e-9)
    assert found.z == pytest.approx(t, rel=1e-9)


def test_split_equals_hillstrom(arms: Arms) -> None:
    check = check_split([len(arms[arm]["visit"]) for arm in ("No", "Womens", "Mens")], [1 / 3] * 3)
    assert check is not None
    assert check.chi_square == pytest.approx(0.20253125, rel=1e-9)
    assert check.passed


def test_a_broken_split_is_found() -> None:
    check = check_split([9_000, 800], [0.9, 0.1])
    assert check is not None
    assert not check.passed


@pytest.mark.parametrize(
    ("x", "df", "p"),
    [(3.841458820694124, 1, 0.05), (5.991464547107979, 2, 0.05), (7.814727903251179, 3, 0.05), (0, 4, 1)],
)
def test_chi_square_tail_equals_the_table(x: float, df: int, p: float) -> None:
    assert chi_square_tail(x, df) == pytest.approx(p, rel=1e-9)


def test_wilson_equals_the_worked_example() -> None:
    """Newcombe 1998 (Statistics in Medicine 17:857), table I: 81 of 263 and 0 of 20, method 3."""
    found, none_of_20 = wilson(Share(81, 263)), wilson(Share(0, 20))
    assert found is not None
    assert none_of_20 is not None
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (none_of_20.low, none_of_20.high) == pytest.approx((0, 0.1611), abs=5e-5)


def test_nothing_is_said_over_nobody() -> None:
    assert wilson(Share(0, 0)) is None
    assert compare_shares(Share(0, 0), Share(1, 2)) is None
    assert compare_means(Sample(1, 5, 0), Sample(9, 5, 1)) is None
    assert check_split([0, 0], [0.9, 0.1]) is None


def test_two_arms_without_a_hit_have_no_p() -> None:
    found = compare_shares(Share(0, 50), Share(0, 50))
    assert found is not None
    assert (found.difference, found.lift, found.interval, found.z, found.p) == (0, None, None, None, None)


shares = st.integers(1, 5_000).flatmap(lambda n: st.builds(Share, st.integers(0, n), st.just(n)))


@given(shares)
def test_a_share_lies_in_its_interval(seen: Share) -> None:
    interval = wilson(seen)
    assert interval is not None
    assert 0 <= interval.low <= seen.value <= interval.high <= 1


@given(shares, shares)
def test_exchanging_the_arms_turns_the_sign(one: Share, other: Share) -> None:
    there, back = compare_shares(one, other), compare_shares(other, one)
    assert there is not None
    assert back is not None
    assert there.difference == pytest.approx(-back.difference)
    assert there.p == (None if back.p is None else pytest.approx(back.p))
    if there.interval is not None and back.interval is not None:
        assert there.interval.low == pytest.approx(-back.interval.high)


def test_an_interval_knows_what_it_holds() -> None:
    assert 0 in Interval(-1, 2)
    assert 0 not in Interval(1, 2)
    assert Interval(1, 2).scaled(1_000) == Interval(1_000, 2_000)


def test_the_area_under_the_curve_is_the_one_published() -> None:
    """The example of scikit-learn's roc_auc_score: 0.1 and 0.4 against 0.35 and 0.8 give 0.75; the variance by hand.

    Placements: of (0.35, 0.8) a half and 1, of (0.1, 0.4) 1 and a half; each variance is 1/8, over two members.
    """
    lower, higher = place({10: (1, 0), 40: (1, 0), 35: (0, 1), 80: (0, 1)})
    assert auc(lower, higher) == 0.75
    found = auc_interval(lower, higher)
    assert found is not None
    assert found.low == pytest.approx(0.75 - 1.959963984540054 * (1 / 8) ** 0.5)
    assert found.high == 1


@given(st.dictionaries(st.integers(0, 5), st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
@settings(max_examples=25)
def test_the_area_is_the_share_of_pairs_in_order(groups: dict[int, tuple[int, int]]) -> None:
    """Against the definition, pair by pair (Mann & Whitney), and DeLong's variance member by member."""
    below = [value for value, (n, _) in groups.items() for _ in range(n)]
    above = [value for value, (_, n) in groups.items() for _ in range(n)]
    lower, higher = place(groups)
    assert (lower.n, higher.n) == (len(below), len(above))
    if min(len(below), len(above)) < 2:
        return
    assert auc(lower, higher) == pytest.approx(fmean(_before(a, b) for a in below for b in above))
    spread = variance(fmean(_before(a, b) for b in above) for a in below) / len(below)
    spread += variance(fmean(_before(a, b) for a in below) for b in above) / len(above)
    found = auc_interval(lower, higher)
    if spread < 1e-12:
        assert found is None or found.high - found.low < 1e-5
    else:
        assert found is not None
        assert found.low == pytest.approx(max(0.0, auc(lower, higher) - 1.959963984540054 * spread**0.5))


def _before(a: int, b: int) -> float:
    return 1.0 if a < b else 0.5 if a == b else 0.0
