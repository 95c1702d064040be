"""Retention and churn over the fixed group, with each trap of METRICS in a world small enough to count by hand."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.models import Customer
from metrics.figures import Figure, change
from metrics.retention import Active, Gained, Interrupted
from metrics.scope import Scope
from metrics.sources import Source
from retention.workspace.models import Basis
from tests.metrics.worlds import buyer, instant, order, scope, segment, subscriber, user

pytestmark = pytest.mark.django_db
SOURCES: tuple[Source, ...] = (Active(), Gained(), Interrupted())


def read(where: Scope) -> dict[str, Figure]:
    return {name: found[0] for source in SOURCES for name, found in source.figures(where).items()}


def names(source: Source, where: Scope, part: str) -> set[str]:
    return set(Customer.objects.filter(pk__in=source.behind(where, part)).values_list("name", flat=True))


def test_it_works() -> None:
    buyer("kept", "2026-02-20", "2026-03-20")
    buyer("lost", "2026-02-20")
    buyer("new", "2026-03-15")
    buyer("came back", "2025-11-01", "2026-03-15")
    march = scope("2026-03-01", "2026-04-01")
    found = read(march)
    assert found["retention_rate"].value == 0.5
    assert found["churn_rate"].value == 0.5
    assert found["active_customers"].value == 3
    assert found["new_customers"].value == 1
    assert found["came_back"].value == 1
    assert names(Active(), march, "kept") == {"kept"}
    assert names(Active(), march, "lost") == {"lost"}
    assert names(Gained(), march, "new_customers") == {"new"}
    assert names(Gained(), march, "came_back") == {"came back"}


def test_customers_acquired_meanwhile_do_not_raise_the_rate() -> None:
    """At the end ÷ at the start would be 11 of 10: more than all."""
    for _ in range(5):
        buyer("kept", "2026-02-20", "2026-03-20")
    for _ in range(5):
        buyer("lost", "2026-02-20")
    for _ in range(6):
        buyer("new", "2026-03-20")
    found = read(scope("2026-03-01", "2026-04-01"))["retention_rate"]
    assert found.value == 0.5
    assert found.excluded[0].customers == 6


def test_joined_and_left_is_in_neither_number() -> None:
    subscriber("stays", ("2026-01-01", None))
    subscriber("joined and left", ("2026-03-05", "2026-03-20"))
    march = scope("2026-03-01", "2026-04-01", basis=Basis.CONTRACTUAL)
    found = read(march)
    assert (found["retention_rate"].value, found["churn_rate"].value) == (1, 0)
    assert found["joined_and_left"].value == 1
    assert names(Interrupted(), march, "joined_and_left") == {"joined and left"}


def test_in_a_window_that_has_not_ended_nobody_has_left_before_their_time() -> None:
    """On 1 June: an order of 10 May keeps a customer active up to 9 June, whatever the window's end."""
    buyer("in time", "2026-04-20", "2026-05-10")
    buyer("gone", "2026-04-20")
    summer = scope("2026-05-01", "2026-07-01", now=instant("2026-06-01"))
    found = read(summer)
    assert found["retention_rate"].value == 0.5
    assert found["retention_rate"].note == "The window has not ended: it is counted up to now."
    assert found["active_customers"].value == 1
    assert found["left_and_returned"].value == 0
    ended = scope("2026-05-01", "2026-06-01", now=instant("2026-06-01"))
    assert found["annual_churn"].value == pytest.approx(1 - 0.5 ** (365 / 31.5))
    assert "has not ended" not in read(ended)["retention_rate"].note


def test_left_and_returned_counts_as_kept_and_is_named() -> None:
    subscriber("stays", ("2026-01-01", None))
    subscriber("pauses", ("2026-01-01", "2026-03-10"), ("2026-03-20", None))
    subscriber("moves to another plan", ("2026-01-01", "2026-03-10"), ("2026-03-10", None))
    march = scope("2026-03-01", "2026-04-01", basis=Basis.CONTRACTUAL)
    assert read(march)["retention_rate"].value == 1
    assert names(Interrupted(), march, "left_and_returned") == {"pauses"}


def test_left_and_returned_by_orders() -> None:
    """30 days after the order of 15 February they lapse, and order again on 25 April."""
    buyer("pauses", "2026-02-15", "2026-04-25")
    buyer("stays", "2026-02-15", "2026-03-10", "2026-04-05", "2026-04-25")
    quarter = scope("2026-03-01", "2026-05-01")
    assert read(quarter)["retention_rate"].value == 1
    assert names(Interrupted(), quarter, "left_and_returned") == {"pauses"}


def test_what_a_subscription_does_as_a_window_begins_belongs_to_that_window() -> None:
    subscriber("starts with the window", ("2026-03-01T00:00:00+00:00", None))
    subscriber("ends with the window", ("2026-01-01", "2026-04-01T00:00:00+00:00"))
    subscriber("ended as it began", ("2026-01-01", "2026-03-01T00:00:00+00:00"))
    march = scope("2026-03-01", "2026-04-01", basis=Basis.CONTRACTUAL)
    assert names(Active(), march, "start") == {"ends with the window", "ended as it began"}
    assert names(Active(), march, "end") == {"starts with the window", "ends with the window"}


def test_windows_are_half_open_in_the_workspaces_zone_across_a_clock_change() -> None:
    """Berlin is UTC+1 at the window's start and UTC+2 at its end; 30 days before 1 April begin on 2 March, 00:00."""
    buyer("at the end", "2026-03-31T22:00:00+00:00")
    buyer("just inside", "2026-03-31T21:59:59+00:00")
    buyer("just recent enough", "2026-03-01T23:00:00+00:00")
    buyer("a second too old", "2026-03-01T22:59:59+00:00")
    march = scope("2026-03-01", "2026-04-01", zone="Europe/Berlin")
    assert names(Active(), march, "end") == {"just inside", "just recent enough"}


def test_cancelled_and_refunded_orders_and_credit_notes_keep_nobody() -> None:
    who = buyer("sent it back", "2026-02-20")
    order(who, "2026-03-20", state="refunded")
    order(who, "2026-03-21", "-10", state="cancelled")
    order(None, "2026-03-22")
    assert read(scope("2026-03-01", "2026-04-01"))["retention_rate"].value == 0


def test_usage_keeps_active_and_other_events_do_not() -> None:
    who = user("uses", "2026-02-20", "2026-03-20")
    quiet = user("only gets mail", "2026-02-20")
    quiet.events.create(kind="message.opened", occurred_at="2026-03-20T12:00:00Z")
    march = scope("2026-03-01", "2026-04-01", basis=Basis.USAGE)
    assert names(Active(), march, "kept") == {who.name}
    assert names(Active(), march, "lost") == {quiet.name}


def test_a_segment_limits_every_number() -> None:
    inside = buyer("inside", "2026-02-20", "2026-03-20")
    buyer("outside", "2026-02-20")
    found = read(scope("2026-03-01", "2026-04-01", segment=segment("VIP", inside)))
    assert found["retention_rate"].value == 1
    assert found["retention_rate"].segment == "VIP"


def test_without_customers_there_is_no_data() -> None:
    found = read(scope("2026-03-01", "2026-04-01"))
    for name in ("retention_rate", "churn_rate", "annual_churn", "active_customers"):
        assert found[name].value is None
        assert found[name].interval is None
        assert found[name].definition.nothing == "no data"


def test_a_year_compounds_the_churn_of_a_month() -> None:
    for _ in range(9):
        buyer("kept", "2026-02-20", "2026-03-20")
    buyer("lost", "2026-02-20")
    found = read(scope("2026-03-01", "2026-04-01"))["annual_churn"]
    assert found.value == pytest.approx(1 - 0.9**12)


@pytest.mark.parametrize(("kept", "clear", "good"), [(20, True, True), (12, False, None), (10, False, None)])
def test_a_difference_within_its_margin_is_not_clear(kept: int, clear: bool, good: bool | None) -> None:
    """Ten of twenty in February; then more of another twenty in May."""
    for i in range(20):
        buyer("", "2026-01-20", *(["2026-02-20"] if i < 10 else []))
        buyer("", "2026-04-20", *(["2026-05-20"] if i < kept else []))
    before, after = read(scope("2026-02-01", "2026-03-01")), read(scope("2026-05-01", "2026-06-01"))
    moved = change(before["retention_rate"], after["retention_rate"])
    assert moved is not None
    assert (moved.clear, moved.good) == (clear, good)


def test_few_customers_are_marked() -> None:
    buyer("kept", "2026-02-20", "2026-03-20")
    assert read(scope("2026-03-01", "2026-04-01"))["retention_rate"].small


def test_the_windows_of_a_trend_are_read_in_one_query(django_assert_num_queries: Any) -> None:
    buyer("kept", "2026-01-20", "2026-02-20", "2026-03-20")
    buyer("lost", "2026-02-20")
    march = scope("2026-03-01", "2026-04-01")
    with django_assert_num_queries(1):
        trend = Active().figures(march, march.window.series(3))["retention_rate"]
    assert [point.value for point in trend] == [None, 1, 0.5]
    assert [point.value for point in trend] == [
        Active().figures(march.over(window))["retention_rate"][0].value for window in march.window.series(3)
    ]


days = st.lists(st.integers(0, 200), max_size=6)
worlds = st.lists(days, max_size=6)


@settings(max_examples=40, deadline=None)
@given(worlds, st.integers(60, 120), st.integers(1, 80), st.integers(1, 60))
def test_invariants(world: list[list[int]], first: int, length: int, activity_days: int) -> None:
    Customer.objects.all().delete()
    origin = date(2026, 1, 1)
    for orders in world:
        buyer("", *((origin + timedelta(days=day)).isoformat() for day in orders))
    start = origin + timedelta(days=first)
    end = start + timedelta(days=length)
    where = scope(start.isoformat(), end.isoformat(), activity_days=activity_days, now=instant("2026-12-31"))
    found = read(where)
    rate, churn, active = found["retention_rate"], found["churn_rate"], found["active_customers"]
    if rate.value is not None:
        assert 0 <= rate.value <= 1
        assert churn.value == pytest.approx(1 - float(rate.value))
    at_start, kept, lost, gained = active.beside
    assert at_start.customers == kept.customers + lost.customers
    assert (active.value or 0) == at_start.customers - lost.customers + gained.customers
    counts = {name: int(figure.value or 0) for name, figure in found.items() if figure.definition.unit == "customers"}
    assert gained.customers == counts["new_customers"] + counts["came_back"]
    assert counts["left_and_returned"] <= kept.customers
    assert rate.value == _oracle(world, first, first + length, activity_days)


def _oracle(world: list[list[int]], start: int, end: int, days: int) -> float | None:
    """METRICS' definition in plain Python. Orders are at noon, so those of day d are before the next midnight."""
    at_start = {who for who, orders in enumerate(world) if any(start - days <= day < start for day in orders)}
    at_end = {who for who, orders in enumerate(world) if any(end - days <= day < end for day in orders)}
    return len(at_start & at_end) / len(at_start) if at_start else None
