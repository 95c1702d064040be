"""How sure a figure is: intervals and tests, from the standard library alone.

All intervals are two-sided 95 %. Nothing here reads the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, exp, gamma, sqrt
from statistics import NormalDist
from typing import Self

Z95 = NormalDist().inv_cdf(0.975)
# A split this unlikely under the shares that were asked for is a fault in the assignment, not luck
# (the limit of Fabijan et al. 2019, "Diagnosing sample ratio mismatch").
MISMATCH_P = 0.001
# Below this a split is worth a second look, though it is no proof of a fault.
UNUSUAL_P = 0.05


@dataclass(frozen=True)
class Interval:
    """Where the true value lies with 95 % confidence, in the figure's own unit."""

    low: float
    high: float

    def scaled(self, factor: float, plus: float = 0.0) -> Self:
        """Times a positive factor, and moved."""
        return type(self)(self.low * factor + plus, self.high * factor + plus)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Share:
    """`hits` of `n` customers."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n


@dataclass(frozen=True)
class Sample:
    """What Welch's comparison needs of a group: its size, mean and variance (over n − 1)."""

    n: int
    mean: float
    variance: float


@dataclass(frozen=True)
class Comparison:
    """`treated − control`; `lift` is that relative to control. What is undefined (over 0, no spread) is None."""

    difference: float
    lift: float | None
    interval: Interval | None
    z: float | None
    p: float | None


@dataclass(frozen=True)
class SplitCheck:
    """Pearson's χ² of the counts assigned against the shares asked for."""

    chi_square: float
    p: float

    @property
    def passed(self) -> bool:
        return self.p >= MISMATCH_P

    @property
    def unusual(self) -> bool:
        return self.p < UNUSUAL_P


def wilson(share: Share) -> Interval | None:
    """The score interval of a share (Wilson 1927), always within 0…1; None over nobody."""
    if share.n == 0:
        return None
    n, p, zz = share.n, share.value, Z95 * Z95
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z95 * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return Interval(max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half)))


def compare_shares(treated: Share, control: Share) -> Comparison | None:
    """Difference of two shares: unpooled 95 % interval, two-sided p from the pooled z. None where an arm is empty."""
    if not (treated.n and control.n):
        return None
    t, c = treated.value, control.value
    spread = sqrt(t * (1 - t) / treated.n + c * (1 - c) / control.n)
    pooled = (treated.hits + control.hits) / (treated.n + control.n)
    error = sqrt(pooled * (1 - pooled) * (1 / treated.n + 1 / control.n))
    return _comparison(t, c, spread, error)


def compare_means(treated: Sample, control: Sample) -> Comparison | None:
    """Difference of two means with Welch's standard error, in the normal approximation.

    None where an arm has fewer than two customers, of whom no variance is known.
    """
    if min(treated.n, control.n) < 2:
        return None
    error = sqrt(treated.variance / treated.n + control.variance / control.n)
    return _comparison(treated.mean, control.mean, error, error)


def _comparison(treated: float, control: float, spread: float, error: float) -> Comparison:
    difference = treated - control
    z = difference / error if error else None
    return Comparison(
        difference=difference,
        lift=difference / control if control else None,
        interval=Interval(difference - Z95 * spread, difference + Z95 * spread) if spread else None,
        z=z,
        p=None if z is None else erfc(abs(z) / sqrt(2)),
    )


def check_split(counts: Sequence[int], shares: Sequence[float]) -> SplitCheck | None:
    """Whether `counts` look like an assignment by `shares` (which sum to 1); None where nobody was assigned."""
    total = sum(counts)
    if total == 0:
        return None
    expected = [total * share for share in shares]
    chi_square = sum((seen - due) ** 2 / due for seen, due in zip(counts, expected, strict=True))
    return SplitCheck(chi_square, chi_square_tail(chi_square, len(counts) - 1))


def chi_square_tail(x: float, df: int) -> float:
    """P(χ²(df) > x), by the recurrence of the incomplete gamma function in steps of two (DLMF 8.8.6)."""
    half = x / 2
    tail, a = (erfc(sqrt(half)), 0.5) if df % 2 else (exp(-half), 1.0)
    while a < df / 2:
        tail += half**a * exp(-half) / gamma(a + 1)
        a += 1
    return tail


@dataclass(frozen=True)
class Placed:
    """How one of two groups lies against the other: its size, and over its members the sum and the sum of squares of
    how many of the other group lie below each, where one that is level counts half."""

    n: int
    below: float
    squares: float


def place(groups: Mapping[int, tuple[int, int]]) -> tuple[Placed, Placed]:
    """Two groups against each other, from how many of the first and of the second have each value."""
    sizes, found = [0, 0], [[0.0, 0.0], [0.0, 0.0]]
    for value in sorted(groups):
        both = groups[value]
        for which, sums in enumerate(found):
            level = sizes[1 - which] + both[1 - which] / 2
            sums[0] += both[which] * level
            sums[1] += both[which] * level * level
        sizes = [sizes[0] + both[0], sizes[1] + both[1]]
    return Placed(sizes[0], *found[0]), Placed(sizes[1], *found[1])


def auc(lower: Placed, higher: Placed) -> float:
    """The area under the ROC curve: how often one of `higher` lies above one of `lower`, level ones counting half.

    It is Mann and Whitney's U over the number of pairs (Mann & Whitney 1947; Bamber 1975). Neither group is empty.
    """
    return higher.below / (lower.n * higher.n)


def auc_interval(lower: Placed, higher: Placed) -> Interval | None:
    """Its interval by the variances of the placements (DeLong, DeLong & Clarke-Pearson 1988), cut at 0 and 1.

    None where a group has fewer than two, or nothing varies.
    """
    if min(lower.n, higher.n) < 2:
        return None
    value = auc(lower, higher)
    spread = sum(_placement_variance(own, other.n) / own.n for own, other in ((lower, higher), (higher, lower)))
    half = Z95 * sqrt(spread)
    return Interval(max(0.0, value - half), min(1.0, value + half)) if spread > 0 else None


def _placement_variance(own: Placed, others: int) -> float:
    """Of the share of the others that lies below, over n − 1."""
    mean = own.below / own.n
    return max(0.0, own.squares - own.n * mean * mean) / (own.n - 1) / (others * others)
