"""What calls for somebody before a task was written: renewals by their notice, unanswered cases, key accounts."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Value
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from customers.cases import handling
from customers.models import (
    Case,
    Customer,
    CustomerFacts,
    Health,
    HealthBand,
    Interval,
    Stage,
    Subscription,
    SubscriptionTerm,
    Task,
)
from customers.work import needs as contract
from customers.work import pages, ranking
from customers.work.attention import Need, needs
from customers.work.moments import WHENEVER, Moment, Whenever, filled
from customers.work.needs import SOURCES, Lines, Nearing, Told
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.work.conftest import MakeCustomer
from tests.work.doing import act, case

SignIn = Callable[[str], Client]
ZONE = ZoneInfo("UTC")
pytestmark = pytest.mark.django_db


def listed(user: User, whose: str = "mine") -> list[Need]:
    return needs(whose, Moment(clock.now(), ZONE, user.pk), "EUR", size=100).needs


def test_it_works(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    waiting = case(make("Bakery", manager, mrr=Decimal(50)), hours=72)
    client = signed_in("account_manager")
    page = client.get("/today/").content.decode()
    assert "Answer their case" in page
    assert "“S0”: normal priority, opened 3 days ago, and not answered." in page
    assert f'href="/cases/{waiting.pk}/"' in page
    assert "600.00 EUR" in page
    assert re.search(r"Urgency 1\d\.\d × 600.00 EUR at stake", page)
    assert "Done: Answer their case – Bakery." in act(client, f"case:{waiting.pk}", "done")
    waiting.refresh_from_db()
    assert waiting.state == Case.State.ANSWERED
    assert not Task.objects.exists()
    assert "Somebody else has dealt with it" in act(client, f"case:{waiting.pk}", "done")


def test_the_last_day_to_give_notice_comes_before_the_renewal(manager: User, make: MakeCustomer) -> None:
    late, soon, far = (make(name, manager, renews_in=days) for name, days in (("Late", 20), ("Soon", 95), ("Far", 95)))
    for customer, notice in ((late, 30), (soon, 90), (far, 30)):
        Subscription.objects.filter(customer=customer).update(notice_days=notice)
    found = {need.name: need for need in listed(manager)}
    assert set(found) == {"Late", "Soon"}
    assert found["Soon"].reason.startswith("Last day on which they can give notice:")
    assert found["Soon"].band == 2
    assert found["Late"].reason == "Inside its notice period."
    assert found["Late"].band == 3


def test_nothing_is_put_off_past_the_last_day_of_notice(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    boreal = make("Boreal", manager, renews_in=35)
    Subscription.objects.update(notice_days=30)
    client = signed_in("account_manager")
    assert re.findall(r"snooze-(\d+)", client.get("/today/").content.decode()) == ["1", "3"]
    act(client, f"renewal:{boreal.pk}", "snooze-30")
    assert Task.objects.get().due_at <= clock.now() + timedelta(days=5)


def test_another_currency_is_shown_and_not_weighed(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    make("Kyoto", manager, renews_in=40, mrr=Decimal(0))
    make("Lyon", manager, renews_in=40)
    SubscriptionTerm.objects.filter(customer__name="Kyoto").update(amount=9_000_000, currency="JPY")
    assert [need.name for need in listed(manager)] == ["Lyon", "Kyoto"]
    page = signed_in("account_manager").get("/today/").content.decode()
    assert "9,000,000 JPY" in page
    assert "Money in JPY is not weighed" in page


def test_cases_wait_by_priority_and_age_each_on_its_own_line(manager: User, make: MakeCustomer) -> None:
    bakery = make("Bakery", manager)
    for hours, priority in ((30, "urgent"), (30, "low"), (200, "low"), (1, "high")):
        case(bakery, hours, priority)
    case(bakery, 99, state=Case.State.ANSWERED, answered_at=clock.now())
    found = [need.line.about["subject"] for need in listed(manager) if need.line]
    assert found[:2] == ["S2", "S0"] or found[:2] == ["S0", "S2"]
    assert found[-1] == "S1"
    assert len(found) == 4


def test_a_case_opened_again_waits_anew_though_there_was_a_task(
    signed_in: SignIn, manager: User, make: MakeCustomer
) -> None:
    waiting = case(make("Bakery", manager), hours=72)
    client = signed_in("account_manager")
    act(client, f"case:{waiting.pk}", "snooze-30")
    task = Task.objects.get()
    assert (task.title, listed(manager)) == ("Answer their case", [])
    assert "Done: Answer their case" in act(client, f"task:{task.pk}", "done")
    waiting.refresh_from_db()
    assert waiting.state == Case.State.ANSWERED
    handling.resolve(waiting.pk)
    handling.reopen(waiting.pk)
    assert [need.key for need in listed(manager)] == [f"case:{waiting.pk}"]
    assert "opened again" in listed(manager)[0].reason


def test_a_case_is_its_assignees(manager: User, make: MakeCustomer) -> None:
    ben = User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER)
    case(make("Bakery", manager), hours=72, assignee=ben)
    assert (listed(manager), len(listed(ben)), listed(ben, "nobodys")) == ([], 1, [])


def test_a_key_account_at_risk_is_for_this_week(manager: User, make: MakeCustomer) -> None:
    key = make("Key", manager, stage=Stage.AT_RISK)
    other = make("Other", manager, stage=Stage.AT_RISK, mrr=Decimal(500))
    Customer.objects.filter(pk=key.pk).update(is_key_account=True)
    assert [(need.band, need.key) for need in listed(manager)] == [
        (2, f"key_account:{key.pk}"),
        (3, f"at_risk:{other.pk}"),
    ]


@pytest.fixture
def planted() -> Iterator[None]:
    """A kind that a room adds: everybody with facts is needed, dated by a day."""

    @contract.need("planted", "Planted", "Dig it out", said=lambda line: f"At {line.about['spot']}.", yields=True)
    def found(moment: Whenever) -> Lines:
        told = Told(
            customer="customer_id",
            ref="customer_id",
            key=Value("1"),
            at=moment.day_in(0),
            urgency=Value(11.0),
            about={"spot": Value("a % and {b}")},
        )
        return told.of(CustomerFacts.objects.filter(orders=7))

    assert found(WHENEVER) is not None
    yield
    del SOURCES["planted"]


@pytest.mark.usefixtures("planted")
def test_a_room_adds_a_kind_with_one_function(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    boreal = make("Boreal", manager, orders=7, stage=Stage.AT_RISK, mrr=Decimal(1))
    client = signed_in("account_manager")
    page = client.get("/today/").content.decode()
    assert "Dig it out" in page
    assert "At a % and {b}." in page
    assert "Find out why they went quiet" not in page  # of what is about the whole customer the most urgent is shown
    act(client, f"planted:{boreal.pk}", "done")
    assert Task.objects.get().origin == "planted:1"
    assert [need.key for need in listed(manager)] == [f"at_risk:{boreal.pk}"]


def test_every_kind_in_one_fixed_number_of_queries(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    client = signed_in("account_manager")

    def another(name: str) -> None:
        renews = make(f"R{name}", manager, renews_in=40)
        act(client, f"renewal:{renews.pk}", "assign", assignee=str(manager.pk))
        case(make(f"C{name}", manager, renews_in=30, interval=Interval.QUARTER), hours=9)
        make(f"Q{name}", manager, stage=Stage.AT_RISK, mrr=Decimal(9))

    another("1")
    assert_query_count("today with every kind", client, "/today/")
    another("2")
    another("3")
    assert_query_count("today with every kind", client, "/today/")


@given(st.lists(st.integers(-40 * 24, 90 * 24), min_size=2, max_size=6))
def test_the_nearer_a_deadline_the_more_urgent(hours: list[int]) -> None:
    """And by the bands that are told of it: today or earlier from 10 on, within the week from 3 on."""
    moment = Moment(clock.now(), ZONE)
    deadlines = sorted(moment.tomorrow + timedelta(hours=each) for each in hours)
    query = Customer.objects.none().query
    compiler = query.get_compiler(connection=connection)
    parts = [compiler.compile(Nearing(Value(each), WHENEVER).resolve_expression(query)) for each in deadlines]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(sql for sql, _ in parts),
            filled((one for _, params in parts for one in params), moment),
        )
        urgencies = cursor.fetchone()
    assert list(urgencies) == sorted(urgencies, reverse=True)
    for deadline, urgency in zip(deadlines, urgencies, strict=True):
        assert 0 < urgency <= 20
        assert (urgency >= 10) == (deadline <= moment.tomorrow)
        assert (urgency >= 3) == (deadline <= moment.tomorrow + timedelta(days=7))


def test_a_line_that_is_gone_says_so(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    boreal = make("Boreal", manager, stage=Stage.AT_RISK, mrr=Decimal(9))
    CustomerFacts.objects.update(stage=Stage.ACTIVE)
    page = act(signed_in("account_manager"), f"at_risk:{boreal.pk}", "snooze-1")
    assert "Somebody else has dealt with it" in page


def test_of_very_many_at_risk_the_weightiest_are_listed_but_every_one_of_mine(
    manager: User, make: MakeCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MOST", 2)
    for money in (30, 10, 20):
        make(f"Mine {money}", manager, stage=Stage.AT_RISK, revenue_365d=Decimal(money))
        make(f"Nobody's {money}", stage=Stage.AT_RISK, mrr=Decimal(money))
    assert [need.name for need in listed(manager)] == ["Mine 30", "Mine 20", "Mine 10"]
    assert [need.name for need in listed(manager, "nobodys")] == ["Nobody's 30", "Nobody's 20"]
    assert [need.name for need in listed(manager, "everyones")] == ["Nobody's 30", "Nobody's 20"]


def test_of_very_many_renewals_and_cases_those_that_come_first_are_listed(
    manager: User, make: MakeCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MOST", 2)
    for days in (30, 10, 20):
        make(f"Renews {days}", renews_in=days)
    bakery = make("Bakery", manager)
    for hours, priority in ((30, "low"), (1, "urgent"), (23, "high")):
        case(bakery, hours, priority)
    for whose in ("everyones", "nobodys"):
        assert {need.name for need in listed(manager, whose)} - {"Bakery"} == {"Renews 10", "Renews 20"}
    subjects = [need.line.about.get("subject") for need in listed(manager, "everyones") if need.line]
    assert sorted(filter(None, subjects)) == ["S1", "S2"]
    assert len(listed(manager)) == 3


def test_what_notice_makes_urgent_is_not_cut_off_by_what_renews_sooner(
    manager: User, make: MakeCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MOST", 2)
    for name, days, notice in (("Last day", 90, 90), ("Soon", 20, 0), ("Later", 40, 0), ("Inside", 5, 30)):
        customer = make(name, renews_in=days)
        Subscription.objects.filter(customer=customer).update(
            notice_days=notice, renews_at=clock.now() + timedelta(days=days, hours=1)
        )
    for whose in ("everyones", "nobodys"):
        assert [need.name for need in listed(manager, whose)][:2] == ["Last day", "Inside"]
        assert "Later" not in {need.name for need in listed(manager, whose)}


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_what_is_for_now_by_itself_is_what_the_whole_has_for_now(manager: User, make: MakeCustomer, zone: str) -> None:
    """Every hour about the midnight that ends today: without notice, at the last day to give it, and past that."""
    moment = Moment(clock.now(), ZoneInfo(zone), manager.pk)
    for hours in range(-2, 30):
        for notice, days in ((0, 0), (30, 30), (30, 0)):
            contract = Subscription.objects.filter(customer=make(f"{hours} {notice} {days}", renews_in=1))
            renews_at = moment.tomorrow + timedelta(days=days, hours=hours, minutes=-3)
            contract.update(notice_days=notice, renews_at=renews_at)
    whole = needs("everyones", moment, "EUR", size=100)
    by_itself = needs("everyones", moment, "EUR", size=1)
    assert (whole.whole, by_itself.whole) == (True, False)
    assert by_itself.total == len([need for need in whole.needs if need.band == 1])


def test_what_was_dealt_with_makes_room(
    manager: User, make: MakeCustomer, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MOST", 2)
    for number in range(3):
        make(f"Renews {number}", renews_in=10 + number)
        make(f"At risk {number}", stage=Stage.AT_RISK, mrr=Decimal(9 - number))
        case(make(f"Case {number}"), hours=99 - number)
    case(make("Theirs"), hours=200, assignee=manager)
    client, seen = signed_in("account_manager"), set[str]()
    nobodys = {"Case 0", "Case 1", "At risk 0", "At risk 1", "Renews 0", "Renews 1"}
    assert {need.name for need in listed(manager, "nobodys")} == nobodys
    for _ in range(10):
        for need in listed(manager, "everyones"):
            act(client, need.key, "done")
            seen.add(need.name)
    assert seen == nobodys | {"Theirs", "Case 2", "At risk 2", "Renews 2"}


def test_a_place_has_a_total_where_it_is_known(signed_in: SignIn, make: MakeCustomer) -> None:
    make("Boreal", stage=Stage.AT_RISK, mrr=Decimal(9))
    client = signed_in("account_manager")
    page = client.get("/today/?whose=everyones").content.decode()
    assert "Place 1 of 1, in" in page
    assert "at most the" not in page
    for number in range(26):
        case(make(f"Case {number}"), hours=999)
    page = client.get("/today/?whose=everyones").content.decode()
    assert "Place 25, in" in page
    assert "at most the" not in page


def test_a_long_list_tells_what_is_for_now_and_goes_on(
    signed_in: SignIn, manager: User, make: MakeCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part by part it is what it is as a whole, though what is not for now is not looked at before it is due."""
    now = clock.now()
    for number in range(3):
        case(make(f"Case {number}", mrr=Decimal(number)), hours=99)
        make(f"Renews {number}", renews_in=1)
        Task.objects.create(customer=make(f"Task {number}", manager), title="Call", due_at=now, created_at=now)
        make(f"Key {number}", stage=Stage.AT_RISK)
        make(f"At risk {number}", stage=Stage.AT_RISK, mrr=Decimal(9))
    Customer.objects.filter(name__startswith="Key").update(is_key_account=True)
    fell = {"score": 30, "band": HealthBand.POOR, "fell_from": 80, "fell_to": 30, "judged_since": now, "scored_at": now}
    ill = make("Ill", mrr=Decimal(9), health_dropped_at=now - timedelta(days=1))
    Health.objects.create(customer=ill, coverage=100, parts={}, version=1, **fell)
    moment = Moment(clock.now(), ZONE, manager.pk)
    for whose in ("everyones", "nobodys"):
        whole = [need.key for need in listed(manager, whose)]
        parts = [needs(whose, moment, "EUR", start=start, size=2) for start in range(0, len(whole) + 2, 2)]
        assert [need.key for part in parts for need in part.needs] == whole
        assert (parts[0].whole, parts[-2].whole, parts[-2].total) == (False, True, len(whole))
        assert {need.band for part in parts if not part.whole for need in part.needs} == {1}
        assert "health:" in " ".join(whole)
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)
    client = signed_in("account_manager")
    first = client.get("/today/?whose=everyones").content.decode()
    assert "What is for now first, 6 in all" in first
    assert "Page 1<" in first
    assert 'rel="next"' in first
    last = client.get("/today/?whose=everyones&page=8").content.decode()
    assert "16 in all" in last
    assert "Page 8 of 8<" in last
    assert 'rel="next"' not in last


@pytest.mark.parametrize("handed", [False, True])
def test_what_was_done_to_a_case_is_taken_back(
    signed_in: SignIn, manager: User, make: MakeCustomer, handed: bool
) -> None:
    """Also where it has become a task before."""
    waiting = case(make("Bakery", manager), hours=72)
    client, need = signed_in("account_manager"), f"case:{waiting.pk}"
    if handed:
        act(client, need, "assign", assignee=str(manager.pk))
        need = f"task:{Task.objects.get().pk}"
    page = act(client, need, "done")
    assert Case.objects.get().state == Case.State.ANSWERED
    assert f'name="need" value="{need}"' in page
    assert "Taken back: Answer their case – Bakery." in act(client, need, "undo")
    again = Case.objects.get()
    assert (again.state, again.answered_at) == (Case.State.OPEN, None)
    assert [line.key for line in listed(manager)] == [need]
    assert "Somebody else has dealt with it" in act(client, need, "undo")
