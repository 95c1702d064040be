"""Doing, putting off and handing over what is on Today, and taking it back."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from customers.models import (
    CustomerFacts,
    Event,
    Milestone,
    Stage,
    Subscription,
    Task,
)
from customers.plans import keeping
from customers.work.acting import act as act_on
from customers.work.attention import needs
from customers.work.moments import Moment
from customers.work.tasks import close_task, open_task
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.work.conftest import MakeCustomer
from tests.work.doing import act, ranked, task

SignIn = Callable[[str], Client]
ZONE = ZoneInfo("UTC")  # as the workspace has it
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("kind", "facts"), [("at_risk", {"stage": Stage.AT_RISK}), ("renewal", {"renews_in": 20})])
def test_a_signal_dealt_with_is_silent_until_the_facts_say_something_new(
    signed_in: SignIn, manager: User, make: MakeCustomer, kind: str, facts: dict[str, object]
) -> None:
    customer = make("Boreal", manager, mrr=Decimal(9), **facts)
    act(signed_in("account_manager"), f"{kind}:{customer.pk}", "done")
    assert ranked(manager) == []
    later = clock.now() + timedelta(days=40)
    CustomerFacts.objects.filter(stage=Stage.AT_RISK).update(stage_since=later)
    CustomerFacts.objects.filter(renews_at__isnull=False).update(renews_at=later)
    Subscription.objects.update(renews_at=later)
    assert ranked(manager) == [(3, "Boreal", kind)]


def test_snoozing_hides_until_that_day(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    customer = make("Boreal", manager, stage=Stage.AT_RISK, mrr=Decimal(9))
    page = act(signed_in("account_manager"), f"at_risk:{customer.pk}", "snooze-30")
    assert "Put off until" in page
    assert ranked(manager) == []
    day = (clock.now().astimezone(ZONE) + timedelta(days=30)).date()
    assert Task.objects.get().due_at.astimezone(ZONE).date() == day
    soon = needs("mine", Moment(clock.now() + timedelta(days=30), ZONE, manager.pk), "EUR")
    assert [need.band for need in soon.needs] == [1]


def test_what_is_snoozed_is_shown_with_its_day_and_woken(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    mine, other = make("Boreal", manager), make("Zephyr", None)
    first, second, theirs = task(mine, 1, to=manager), task(mine, 1), task(other, 1)
    client = signed_in("account_manager")
    assert "Snoozed (" not in client.get("/today/").content.decode()
    for each, days in ((second, 7), (first, 3), (theirs, 1)):
        act(client, f"task:{each.pk}", f"snooze-{days}")
    assert '<a href="/today/snoozed/?whose=mine">Snoozed (2)</a>' in client.get("/today/").content.decode()
    shown = {whose: client.get(f"/today/snoozed/?whose={whose}") for whose in ("mine", "nobodys", "everyones")}
    assert {whose: [each.pk for each in page.context["tasks"]] for whose, page in shown.items()} == {
        "mine": [first.pk, second.pk],
        "nobodys": [theirs.pk],
        "everyones": [theirs.pk, first.pk, second.pk],
    }
    day = (clock.now().astimezone(ZONE) + timedelta(days=3)).date()
    assert f"{day.day} {day:%b}" in shown["mine"].content.decode()
    page = act(client, f"task:{first.pk}", "wake")
    assert "On Today again: Call Boreal" in page
    assert ranked(manager) == [(1, "Boreal", "task")]
    assert "Snoozed (1)" in page
    act(client, f"task:{first.pk}", "undo")
    assert ranked(manager) == []
    assert (
        client.post("/today/act/", {"need": "at_risk:1", "act": "wake", "whose": "mine", "page": "1"}).status_code
        == 400
    )


@pytest.mark.parametrize("origin", ["", "answer:1"])
def test_what_is_put_off_for_a_day_is_gone_for_that_day(manager: User, make: MakeCustomer, origin: str) -> None:
    due = clock.now() - timedelta(hours=1)
    call = open_task(make("Boreal", manager).pk, "Call them", "", due, manager.pk, origin)
    act_on({"need": f"task:{call.pk}", "act": "snooze-1"}, manager, clock.now(), ZONE)
    assert ranked(manager) == []
    tomorrow = needs("mine", Moment(clock.now() + timedelta(days=1), ZONE, manager.pk), "EUR")
    assert [(need.band, need.action) for need in tomorrow.needs] == [(1, "Call them")]
    act_on({"need": f"task:{call.pk}", "act": "undo"}, manager, clock.now(), ZONE)
    assert ranked(manager) == [(1, "Boreal", "task")]


def test_handing_over_and_undoing(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    ben = User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER, first_name="Ben")
    mine = task(make("Boreal", manager), days=0, to=manager)
    client = signed_in("account_manager")
    assert "Handed to Ben" in act(client, f"task:{mine.pk}", "assign", assignee=str(ben.pk))
    assert ranked(manager) == []
    assert ranked(ben) == [(1, "Boreal", "task")]
    page = act(client, f"task:{mine.pk}", "done")
    assert 'value="undo"' in page
    assert "Taken back: Call Boreal – Boreal." in act(client, f"task:{mine.pk}", "undo")
    assert ranked(ben) == [(1, "Boreal", "task")]
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["task.opened", "task.changed", "task.closed", "task.opened"]


@pytest.mark.parametrize("what", ["done", "snooze-3", "assign"])
def test_what_is_taken_back_is_the_need_as_it_was(
    signed_in: SignIn, manager: User, make: MakeCustomer, what: str
) -> None:
    boreal = make("Boreal", manager, renews_in=4)
    client = signed_in("account_manager")
    before = client.get("/today/").content.decode().split('class="needs"')[1]
    undone = act(client, f"renewal:{boreal.pk}", what)
    acted = Task.objects.get()
    assert f'name="need" value="task:{acted.pk}"' in undone
    assert "– Boreal." in undone
    after = act(client, f"task:{acted.pk}", "undo").split('class="needs"')[1]
    assert ranked(manager) == [(2, "Boreal", "renewal")]
    assert_same_words(before, after)
    assert "Somebody else has dealt with it" in act(client, f"task:{acted.pk}", "undo")


def assert_same_words(before: str, after: str) -> None:
    def words(page: str) -> list[str]:
        return re.sub(r"<[^>]+>", " ", page.split("</ol>")[0]).split()

    assert words(before) == words(after)


def test_a_renewal_handed_over_in_the_evening_is_not_late_and_keeps_its_date(
    signed_in: SignIn, manager: User, make: MakeCustomer
) -> None:
    boreal = make("Boreal", manager, renews_in=40)
    evening = clock.now().astimezone(ZONE).replace(hour=21)
    asked = {"need": f"renewal:{boreal.pk}", "act": "assign", "assignee": None}
    act_on(asked, manager, evening, ZONE)
    assert Task.objects.get().due_at > evening
    page = signed_in("administrator").get("/today/?whose=everyones").content.decode()
    assert "Renews <time" in page


@pytest.mark.parametrize(("renews_in", "days", "offered"), [(2.5, 2.5, [1]), (5, 5, [1, 3]), (40, 30, [1, 3, 7, 30])])
def test_nothing_is_put_off_past_the_renewal(
    signed_in: SignIn, manager: User, make: MakeCustomer, renews_in: float, days: float, offered: list[int]
) -> None:
    boreal = make("Boreal", manager, renews_in=renews_in)
    client = signed_in("account_manager")
    assert re.findall(r"snooze-(\d+)", client.get("/today/").content.decode()) == [str(one) for one in offered]
    act(client, f"renewal:{boreal.pk}", "snooze-30")
    due_at = Task.objects.get().due_at
    renews_at = CustomerFacts.objects.get(customer=boreal).renews_at
    assert renews_at
    assert due_at <= renews_at
    assert abs(due_at - clock.now() - timedelta(days=days)) < timedelta(days=1)


def test_what_somebody_else_closed_is_left_alone(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    mine = task(make("Boreal", manager), days=0)
    close_task(mine.pk, Task.State.DROPPED, None)
    client = signed_in("account_manager")
    for what in ("snooze-1", "assign"):
        assert "Somebody else has dealt with it" in act(client, f"task:{mine.pk}", what)
    assert "Somebody else has dealt with it" in act(client, "task:999999", "done")
    assert "Somebody else has dealt with it" in act(client, "at_risk:999999", "done")
    mine.refresh_from_db()
    assert mine.state == Task.State.DROPPED


@pytest.mark.parametrize(
    "wrong",
    [
        {"need": "task:x"},
        {"need": "origin:1"},
        {"act": "burn"},
        {"need": "renewal:1", "act": "undo"},
        {"whose": "x"},
        {"page": ""},
    ],
)
def test_a_made_up_act_is_refused(signed_in: SignIn, manager: User, wrong: dict[str, str]) -> None:
    sent = {"need": "task:1", "act": "done", "whose": "mine", "page": "1"} | wrong
    assert signed_in("account_manager").post("/today/act/", sent).status_code == 400


def test_taking_back_spares_what_somebody_else_has_done(manager: User, make: MakeCustomer) -> None:
    """Two have the line before them: one puts it off, then the other hands it over and thinks better of it."""
    bakery = make("Bakery", manager, stage=Stage.AT_RISK, revenue_365d=Decimal(900))
    ben = User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER)
    line = {"need": f"at_risk:{bakery.pk}", "assignee": None}
    act_on(line | {"act": "snooze-7"}, manager, clock.now(), ZONE)
    until = Task.objects.get().due_at
    done = act_on(line | {"act": "assign", "assignee": ben}, ben, clock.now(), ZONE)
    act_on({"need": done.undo, "act": "undo"}, ben, clock.now(), ZONE)
    assert (Task.objects.get().due_at, Task.objects.get().assignee) == (until, manager)


def test_a_line_that_comes_back_can_be_put_off_again(manager: User, make: MakeCustomer) -> None:
    plan = keeping.begin(make("Bakery", manager), "Live", "", [], manager)
    keeping.agree(plan.pk, None)
    step = Milestone.objects.create(plan=plan, title="Counted", due_on=clock.now().date(), ours=manager)
    line = {"need": f"milestone:{step.pk}", "assignee": None, "act": "snooze-7"}
    act_on(line, manager, clock.now(), ZONE)
    act_on({"need": f"task:{Task.objects.get().pk}", "act": "done"}, manager, clock.now(), ZONE)
    keeping.turn(step.pk, Milestone.State.OPEN, manager)
    assert ranked(manager) == [(1, "Bakery", "milestone")]
    assert act_on(line, manager, clock.now(), ZONE).said.startswith("Put off until")
    assert Task.objects.get().state == Task.State.OPEN


def test_what_was_done_to_a_milestone_is_taken_back(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    plan = keeping.begin(make("Bakery", manager), "Live", "", [], manager)
    keeping.agree(plan.pk, None)
    step = Milestone.objects.create(plan=plan, title="Counted", due_on=clock.now().date(), ours=manager)
    client, need = signed_in("account_manager"), f"milestone:{step.pk}"
    assert f'name="need" value="{need}"' in act(client, need, "done")
    assert ranked(manager) == []
    assert "Taken back: See to their milestone – Bakery." in act(client, need, "undo")
    assert ranked(manager) == [(1, "Bakery", "milestone")]
    assert "Somebody else has dealt with it" in act(client, need, "undo")
