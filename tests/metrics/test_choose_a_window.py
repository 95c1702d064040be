"""Windows are half-open, whole days of the workspace's zone, and compare with one of the same length."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.windows import PRESETS, BadWindow, Window, add_months, months_between, parse, preset

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_window_is_whole_days_of_its_zone_across_a_clock_change() -> None:
    """On 29 March 2026 Berlin's clocks go forward: the week has 167 hours and still 7 days."""
    week = Window(date(2026, 3, 26), date(2026, 4, 2), BERLIN)
    assert week.start.astimezone(UTC) == datetime(2026, 3, 25, 23, tzinfo=UTC)
    assert week.end.astimezone(UTC) == datetime(2026, 4, 1, 22, tzinfo=UTC)
    assert week.end.astimezone(UTC) - week.start.astimezone(UTC) == timedelta(hours=167)
    assert week.days == 7


def test_months_compare_with_months_and_days_with_days() -> None:
    march = Window(date(2026, 3, 1), date(2026, 4, 1), BERLIN)
    assert march.before() == Window(date(2026, 2, 1), date(2026, 3, 1), BERLIN)
    ten_days = Window(date(2026, 3, 5), date(2026, 3, 15), BERLIN)
    assert ten_days.before() == Window(date(2026, 2, 23), date(2026, 3, 5), BERLIN)


def test_a_series_joins_without_gap_or_overlap() -> None:
    series = Window(date(2026, 1, 1), date(2026, 4, 1), BERLIN).series(5)
    assert [window.first for window in series] == [
        date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1)
    ]  # fmt: skip
    assert all(earlier.end == later.start for earlier, later in pairwise(series))


@pytest.mark.parametrize(
    ("name", "first", "until"),
    [
        ("30d", date(2011, 11, 10), date(2011, 12, 10)),
        ("month", date(2011, 11, 1), date(2011, 12, 1)),
        ("quarter", date(2011, 7, 1), date(2011, 10, 1)),
        ("12m", date(2010, 12, 1), date(2011, 12, 1)),
    ],
)
def test_presets(name: str, first: date, until: date) -> None:
    assert preset(name, datetime(2011, 12, 10, tzinfo=UTC), ZoneInfo("UTC")) == Window(first, until, ZoneInfo("UTC"))


def test_a_preset_ends_with_the_zones_last_midnight() -> None:
    """Just before midnight in London it is the next day in Berlin."""
    assert preset("30d", datetime(2026, 1, 9, 23, 30, tzinfo=UTC), BERLIN).until == date(2026, 1, 10)


@pytest.mark.parametrize(
    ("first", "until"),
    [("2026-01-02", "2026-01-01"), ("2026-01-01", "2026-01-01"), ("x", "2026-01-01"), ("0001-01-01", "2026-01-01")],
)
def test_what_is_no_window_is_refused_with_a_reason(first: str, until: str) -> None:
    with pytest.raises(BadWindow, match=r"[A-Z].*\."):
        parse(first, until, BERLIN)


days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@given(days, st.integers(1, 800))
def test_the_window_before_has_the_same_length(first: date, length: int) -> None:
    window = Window(first, first + timedelta(days=length), BERLIN)
    before = window.before()
    assert before.until == window.first
    assert before.months == window.months if window.months else before.days == window.days


@given(days, st.integers(-500, 500))
def test_months_add_up(day: date, count: int) -> None:
    first = day.replace(day=1)
    assert months_between(first, add_months(first, count)) == count


instants = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(instants, st.sampled_from(list(PRESETS)))
def test_no_preset_reaches_into_the_future(now: datetime, name: str) -> None:
    assert preset(name, now, BERLIN).end <= now


def test_the_months_inside_a_window() -> None:
    year = Window(date(2025, 11, 21), date(2026, 11, 21), BERLIN)
    months = year.inside(36)
    assert [window.first for window in months] == [add_months(date(2025, 12, 1), i) for i in range(11)]
    assert year.inside(3) == months[-3:]
    assert Window(date(2026, 1, 2), date(2026, 2, 28), BERLIN).inside(36) == []
    assert Window(date(2026, 1, 1), date(2026, 2, 1), BERLIN).inside(36) == [
        Window(date(2026, 1, 1), date(2026, 2, 1), BERLIN)
    ]
