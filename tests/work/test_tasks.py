"""Tasks: opened once per origin, closed once, taken back, put off, handed over."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer, Event, Task
from customers.work import working_days
from customers.work.tasks import (
    NothingToTakeBack,
    TaskIsClosed,
    close_task,
    open_task,
    reassign_task,
    snooze_task,
    take_back,
)
from retention.common import clock
from retention.workspace.models import User

Open = Callable[..., Task]


@pytest.fixture
def customer(db: None) -> Customer:
    return Customer.objects.create(external_id="c1")


@pytest.fixture
def opened(customer: Customer) -> Open:
    def open_one(origin: str = "answer:1") -> Task:
        return open_task(customer.pk, "Call them", "They asked", clock.now() + timedelta(days=2), None, origin)

    return open_one


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_it_works(opened: Open) -> None:
    task = opened()
    assert task.state == Task.State.OPEN
    closed = close_task(task.pk, Task.State.DONE, None)
    assert closed.state == Task.State.DONE
    assert closed.closed_at is not None
    assert kinds() == ["task.opened", "task.closed"]


def test_an_origin_asks_once_even_after_it_was_done(opened: Open) -> None:
    task = opened()
    close_task(task.pk, Task.State.DONE, None)
    again = opened()
    assert again.pk == task.pk
    assert again.state == Task.State.DONE
    assert kinds() == ["task.opened", "task.closed"]


def test_a_persons_own_tasks_are_all_kept(opened: Open) -> None:
    assert opened("").pk != opened("").pk
    assert Task.objects.count() == 2


def test_closing_twice_closes_once(opened: Open) -> None:
    task = opened()
    close_task(task.pk, Task.State.DONE, None)
    assert close_task(task.pk, Task.State.DROPPED, None).state == Task.State.DONE
    assert kinds().count("task.closed") == 1


def test_each_act_can_be_taken_back_by_who_did_it(opened: Open) -> None:
    me, someone = User.objects.create_user("me@example.test"), User.objects.create_user("ben@example.test")
    task = opened()
    due_at = task.due_at
    snooze_task(task.pk, due_at + timedelta(days=9), "9 May", me.pk)
    assert (take_back(task.pk, me.pk).due_at, kinds()[-1]) == (due_at, "task.changed")
    reassign_task(task.pk, someone, me.pk)
    assert take_back(task.pk, me.pk).assignee is None
    close_task(task.pk, Task.State.DROPPED, me.pk)
    back = take_back(task.pk, me.pk)
    assert (back.state, back.closed_at, back.due_at) == (Task.State.OPEN, None, due_at)
    assert kinds() == ["task.opened", *["task.changed"] * 4, "task.closed", "task.opened"]


def test_only_the_last_act_and_only_ones_own_is_taken_back(opened: Open) -> None:
    me, someone = User.objects.create_user("me@example.test"), User.objects.create_user("ben@example.test")
    task = opened()
    with pytest.raises(NothingToTakeBack):
        take_back(task.pk, me.pk)
    snooze_task(task.pk, task.due_at, "9 May", me.pk)
    reassign_task(task.pk, None, someone.pk)
    with pytest.raises(NothingToTakeBack):
        take_back(task.pk, me.pk)
    take_back(task.pk, someone.pk)
    with pytest.raises(NothingToTakeBack):
        take_back(task.pk, someone.pk)


def test_a_task_that_the_act_itself_made_goes_with_it(opened: Open) -> None:
    me, task = User.objects.create_user("me@example.test"), opened()
    close_task(task.pk, Task.State.DONE, me.pk, fresh=True)
    take_back(task.pk, me.pk)
    assert not Task.objects.exists()
    assert kinds() == ["task.opened", "task.closed", "task.taken_back"]


def test_an_open_task_is_put_off_and_handed_over(opened: Open) -> None:
    task, someone = opened(), User.objects.create_user("ben@example.test")
    until = clock.now() + timedelta(days=9)
    snooze_task(task.pk, until, "9 May", someone.pk)
    reassign_task(task.pk, someone, someone.pk)
    task.refresh_from_db()
    assert (task.due_at, task.assignee) == (until, someone)
    said = Event.objects.filter(kind="task.changed").order_by("pk").values_list("payload__said", flat=True)
    assert list(said) == ["put off until 9 May", "handed to ben@example.test"]


def test_a_closed_task_is_left_alone(opened: Open) -> None:
    task = opened()
    close_task(task.pk, Task.State.DONE, None)
    with pytest.raises(TaskIsClosed):
        snooze_task(task.pk, clock.now(), "today", None)
    with pytest.raises(TaskIsClosed):
        reassign_task(task.pk, None, None)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_the_same_time_one_opens_it(opened: Open) -> None:
    def ask(_: int) -> int:
        try:
            return opened().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1
    assert kinds() == ["task.opened"]


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-16 10:00", 2, "2026-11-18 10:00"),  # Monday
        ("2026-11-19 10:00", 2, "2026-11-23 10:00"),  # Thursday: over the weekend
        ("2026-11-20 23:30", 1, "2026-11-23 23:30"),  # Friday night
        ("2026-11-21 10:00", 2, "2026-11-24 10:00"),  # Saturday: Monday is the first
    ],
)
def test_weekends_are_no_working_days(start: str, days: int, due: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begun = datetime.fromisoformat(start).replace(tzinfo=zone)
    assert working_days.after(begun, days, zone) == datetime.fromisoformat(due).replace(tzinfo=zone)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(1, 10))  # noqa: DTZ001
def test_it_is_due_on_a_working_day_within_reach(start: datetime, days: int) -> None:
    zone = ZoneInfo("America/New_York")
    due = working_days.after(start.replace(tzinfo=UTC), days, zone).astimezone(zone)
    assert due.weekday() < 5
    assert days <= (due.date() - start.replace(tzinfo=UTC).astimezone(zone).date()).days <= days + 2 * (days // 5 + 1)
