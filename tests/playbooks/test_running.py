"""Playbooks run: started once, their tasks opened on their days, finished or stopped."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from campaigns.sweeping import keep_up, route_all
from customers.models import (
    Customer,
    CustomerFacts,
    Event,
    Playbook,
    PlaybookRun,
    RunStep,
    Segment,
    SegmentMembership,
    Stage,
    Subscription,
    Task,
    Team,
)
from customers.playbooks import ending, opening, passing, starting
from customers.segments import membership
from customers.work.tasks import close_task, take_back
from retention.common import clock
from retention.workspace.models import User
from tests.customers.subscribing import subscription
from tests.playbooks.conftest import MONDAY, At, Make

pytestmark = pytest.mark.usefixtures("monday")


def state(customer: Customer) -> str:
    run = PlaybookRun.objects.filter(customer=customer).first()
    return run.state if run else ""


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def close_all(by: User) -> None:
    for task in Task.objects.filter(state=Task.State.OPEN):
        close_task(task.pk, Task.State.DONE, by.pk)
    route_all()


def test_it_works(anna: User, customers: list[Customer], playbook: Make, at: At) -> None:
    onboarding = playbook(0, 7, 30)
    assert starting.start_by_hand(onboarding, [customers[0].pk], anna) == 1
    task = Task.objects.get()
    assert (task.title, task.assignee, task.due_at.date()) == ("Step 1", anna, MONDAY.date())
    assert kinds() == ["playbook.started", "task.opened"]
    close_all(anna)
    at(MONDAY + timedelta(days=7))
    keep_up()
    assert Task.objects.get(state=Task.State.OPEN).title == "Step 2"
    close_all(anna)
    assert state(customers[0]) == "running"
    at(MONDAY + timedelta(days=30))
    keep_up()
    close_all(anna)
    assert state(customers[0]) == "finished"
    assert kinds()[-1] == "playbook.finished"


def test_never_twice_at_once_and_again_once_it_is_over(anna: User, customers: list[Customer], playbook: Make) -> None:
    onboarding, ids = playbook(0), [customer.pk for customer in customers]
    assert starting.start_by_hand(onboarding, ids[:1], anna) == 1
    assert starting.start_by_hand(onboarding, ids, anna) == 2
    assert starting.start_by_hand(onboarding, ids, anna) == 0
    close_all(anna)
    assert starting.start_by_hand(onboarding, ids, anna) == 3
    assert PlaybookRun.objects.filter(state="finished").count() == 3


@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.django_db(transaction=True)
def test_of_many_who_start_at_the_same_time_one_does(
    anna: User, customers: list[Customer], playbook: Make, planted: bool
) -> None:
    """And the test sees it where the database did not hold it: with the constraint away there are more."""
    onboarding, ids = playbook(0, 5), [customer.pk for customer in customers]
    with without_the_constraint() if planted else nothing():
        together(lambda _: starting.start_by_hand(onboarding, ids, anna))
        twice = PlaybookRun.objects.count() > 3
    assert twice == planted
    assert planted or (Task.objects.count(), kinds().count("playbook.started")) == (3, 3)


def together(do: Callable[[int], object]) -> None:
    """Six at once, each of whom has looked before any of them has written."""

    def held(number: int) -> None:
        try:
            do(number)
        finally:
            connection.close()

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER dawdle BEFORE INSERT ON customers_playbookrun FOR EACH STATEMENT EXECUTE FUNCTION dawdle()"
        )
    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(held, range(6)))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION dawdle CASCADE")


@contextmanager
def nothing() -> Iterator[None]:
    yield


@contextmanager
def without_the_constraint() -> Iterator[None]:
    name = "playbook_runs_once_at_a_time"
    (constraint,) = (each for each in PlaybookRun._meta.constraints if each.name == name)
    with connection.schema_editor() as editor:
        editor.remove_constraint(PlaybookRun, constraint)
    try:
        yield
    finally:
        PlaybookRun.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(PlaybookRun, constraint)


@pytest.mark.django_db(transaction=True)
def test_sweeps_at_the_same_time_open_each_step_once(anna: User, customers: list[Customer], playbook: Make) -> None:
    onboarding = playbook(3)
    starting.start_by_hand(onboarding, [customer.pk for customer in customers], anna)
    RunStep.objects.update(opens_at=clock.now())

    def sweep(_: int) -> int:
        try:
            return opening.open_all()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(sweep, range(4))) == 3
    assert Task.objects.count() == RunStep.objects.filter(task__isnull=False).count() == 3


def test_who_gets_the_task(anna: User, customers: list[Customer], playbook: Make) -> None:
    lead, ben = (User.objects.create_user(f"{name}@example.test") for name in ("lead", "ben"))
    Customer.objects.filter(pk=customers[0].pk).update(team=Team.objects.create(name="North", lead=lead))
    various = playbook(0, 0, 0)
    for place, (whose, person) in enumerate((("owner", None), ("lead", None), ("person", ben)), 1):
        various.steps.filter(position=place).update(whose=whose, person=person)
    starting.start_by_hand(various, [customers[0].pk, customers[1].pk], anna)
    assert list(Task.objects.filter(customer=customers[0]).order_by("title").values_list("assignee", flat=True)) == [
        anna.pk,
        lead.pk,
        ben.pk,
    ]
    assert Task.objects.get(customer=customers[1], title="Step 2").assignee == anna


def test_a_step_on_a_weekend_moves(anna: User, customers: list[Customer], playbook: Make) -> None:
    starting.start_by_hand(playbook(5, 6, 8), [customers[0].pk], anna)
    days = [step.due_at.astimezone(UTC).date().isoformat() for step in RunStep.objects.order_by("position")]
    assert days == ["2026-11-23", "2026-11-23", "2026-11-24"]


def test_a_renewal_starts_it_by_its_days(anna: User, customers: list[Customer], playbook: Make, at: At) -> None:
    book = playbook(-90, -60, -30, name="Renewal", rule="renewal", days_before=90, ends_early=True)
    for customer, days in zip(customers, (45, 89, 200), strict=True):
        subscription(
            customer, MONDAY - timedelta(days=200), amount=120, interval="year", renews_at=MONDAY + timedelta(days=days)
        )
    assert passing.look() == 2
    assert passing.look() == 0
    late = RunStep.objects.filter(run__customer=customers[0]).order_by("position")
    assert [(step.left_out, step.opened_at is not None) for step in late] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    soon = RunStep.objects.filter(run__customer=customers[1]).order_by("position")
    assert [step.left_out for step in soon] == [False, False, False]
    at(MONDAY + timedelta(hours=2))
    assert passing.look() == 0
    Subscription.objects.filter(customer=customers[0]).update(renews_at=MONDAY + timedelta(days=50))
    at(MONDAY + timedelta(hours=4))
    assert passing.look() == 2
    runs = PlaybookRun.objects.filter(customer=customers[0]).order_by("pk")
    assert [run.state for run in runs] == ["stopped", "running"]
    assert runs[0].end_reason == "Nothing of theirs renews on that day any more"
    assert Task.objects.filter(customer=customers[0], state="dropped").count() == 1
    assert book.runs.count() == 3


def test_entering_a_segment_starts_it_and_leaving_ends_it(
    anna: User, customers: list[Customer], playbook: Make
) -> None:
    segment = Segment.objects.create(name="Vip", rule={"all": [{"field": "tags", "op": "has", "value": "vip"}]})
    membership.refresh([segment.pk])
    playbook(0, 9, name="Save", rule="segment", segment=segment, ends_early=True)
    tag(customers[:2], ["vip"])
    assert [state(customer) for customer in customers] == ["running", "running", ""]
    by_hand = starting.start_by_hand(Playbook.objects.get(), [customers[2].pk], anna)
    tag(customers, [])
    assert [state(customer) for customer in customers] == ["stopped", "stopped", "running"]
    assert by_hand == 1
    assert Task.objects.filter(state="dropped").count() == 2
    tag(customers[:1], ["vip"])
    assert PlaybookRun.objects.filter(customer=customers[0]).count() == 2


def tag(customers: list[Customer], tags: list[str]) -> None:
    ids = [customer.pk for customer in customers]
    Customer.objects.filter(pk__in=ids).update(tags=tags)
    membership.refresh(customer_ids=ids)
    route_all()


def test_reaching_a_stage_and_becoming_known_start_it(customers: list[Customer], playbook: Make) -> None:
    risk = playbook(0, name="Risk", rule="stage", stage=Stage.AT_RISK)
    welcome = playbook(0, name="Welcome", rule="new")
    old, fresh, third = customers
    now = clock.now()

    def happened(customer: Customer, kind: str, at: datetime, **payload: str) -> None:
        Event.objects.create(customer=customer, kind=kind, occurred_at=at, payload=payload)

    happened(old, "customer.created", now - timedelta(days=400))
    happened(fresh, "customer.created", now)
    happened(fresh, "stage.changed", now, to=Stage.AT_RISK)
    route_all()
    assert list(welcome.runs.values_list("customer", flat=True)) == [fresh.pk]
    assert not risk.runs.exists()  # by now they are in that stage no longer
    CustomerFacts.objects.filter(customer=third).update(stage=Stage.AT_RISK)
    happened(third, "stage.changed", now, to=Stage.AT_RISK)
    route_all()
    assert list(risk.runs.values_list("customer", flat=True)) == [third.pk]


def test_a_quarter_starts_it_once_for_the_members(
    customers: list[Customer], playbook: Make, at: At, anna: User
) -> None:
    at(datetime(2026, 7, 1, 6, tzinfo=UTC))
    segment = Segment.objects.create(name="Key", rule={"all": []}, computed_at=clock.now())
    for customer in customers[:2]:
        SegmentMembership.objects.create(segment=segment, customer=customer, entered_at=clock.now())
    playbook(0, name="Review", rule="quarter", segment=segment)
    assert passing.look() == 2
    for day, began in ((datetime(2026, 9, 30, tzinfo=UTC), 0), (datetime(2026, 10, 1, 3, tzinfo=UTC), 2)):
        close_all(anna)
        at(day)
        assert passing.look() == began


def test_off_or_without_steps_it_starts_nothing(anna: User, customers: list[Customer], playbook: Make) -> None:
    playbook(0, name="Off", rule="new", on_since=None)
    empty = playbook(name="Empty", rule="new")
    Event.objects.create(customer=customers[0], kind="customer.created", occurred_at=clock.now())
    route_all()
    assert not PlaybookRun.objects.exists()
    with pytest.raises(starting.NothingToDo):
        starting.start_by_hand(empty, [customers[0].pk], anna)
    by_renewal = playbook(-30, name="Renewal", rule="renewal", days_before=90)
    with pytest.raises(starting.NoRenewal):
        starting.start_by_hand(by_renewal, [customers[0].pk], anna)


def test_stopping_drops_its_tasks_and_says_who(anna: User, customers: list[Customer], playbook: Make) -> None:
    starting.start_by_hand(playbook(0, 0, 60), [customers[0].pk], anna)
    run = PlaybookRun.objects.get()
    assert ending.stop_by_hand(run.pk, anna) == 2
    run.refresh_from_db()
    assert (run.state, run.end_reason) == ("stopped", "Stopped by Anna")
    assert kinds().count("task.closed") == 2
    with pytest.raises(ending.Over):
        ending.stop_by_hand(run.pk, anna)
    RunStep.objects.update(opens_at=clock.now())
    assert opening.open_all() == 0


def test_a_task_taken_back_sets_the_run_going_again(
    anna: User, customers: list[Customer], playbook: Make, at: At
) -> None:
    starting.start_by_hand(playbook(0), [customers[0].pk], anna)
    close_all(anna)
    assert state(customers[0]) == "finished"
    take_back(Task.objects.get().pk, anna.pk)
    route_all()
    assert state(customers[0]) == "running"
    at(MONDAY + timedelta(hours=1))
    close_all(anna)
    assert state(customers[0]) == "finished"
    assert kinds().count("playbook.finished") == 2


def test_of_two_runs_of_one_playbook_only_one_goes_on(anna: User, customers: list[Customer], playbook: Make) -> None:
    onboarding = playbook(0)
    for _ in range(2):
        starting.start_by_hand(onboarding, [customers[0].pk], anna)
        close_all(anna)
    for task in Task.objects.all():
        take_back(task.pk, anna.pk)
    route_all()
    assert list(PlaybookRun.objects.order_by("pk").values_list("state", flat=True)) == ["finished", "running"]


@pytest.mark.django_db(transaction=True)
def test_no_task_is_opened_for_a_run_that_is_being_stopped(
    anna: User, customers: list[Customer], playbook: Make, at: At
) -> None:
    starting.start_by_hand(playbook(0, 7), [customers[0].pk], anna)
    at(MONDAY + timedelta(days=7))

    def open_due() -> int:
        try:
            return opening.open_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        ending.stop_by_hand(PlaybookRun.objects.get().pk, anna)
        assert pool.submit(open_due).result() == 0
    assert not Task.objects.filter(state=Task.State.OPEN).exists()
