"""A success plan: begun, agreed, its milestones moved, done and slipping; two people at one form."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.sweeping import keep_up
from customers.models import Contact, Customer, Dirty, Event, Goal, Milestone, SuccessPlan, Task
from customers.plans import keeping, slipping
from customers.work.attention import needs
from customers.work.moments import Moment
from retention.common import clock
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.customers.known import customer

SignIn = Callable[[str], Client]
At = Callable[[datetime], None]
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
TODAY = date(2026, 11, 10)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(at: At) -> None:
    at(NOW)


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")


@pytest.fixture
def acme(anna: User) -> Customer:
    return customer("acme", name="Acme", owner=anna)


@pytest.fixture
def plan(acme: Customer, anna: User) -> SuccessPlan:
    """Agreed, with one goal and a milestone in five days."""
    made = keeping.begin(acme, "Live by June", "", ["All branches use it"], anna)
    keeping.agree(made.pk, None)
    Milestone.objects.create(
        plan=made, goal=made.goals.get(), title="Branches counted", due_on=TODAY + 5 * DAY, ours=anna
    )
    return SuccessPlan.objects.get(pk=made.pk)


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return unescape(response.content.decode())


def post(client: Client, url: str, part: bool = False, **sent: Any) -> str:
    headers = {"HX-Request": "true"} if part else {}
    return unescape(client.post(url, sent, headers=headers, follow=True).content.decode())


def kinds() -> list[str]:
    told = Event.objects.filter(kind__regex="^(plan|milestone)").order_by("pk")
    return list(told.values_list("kind", flat=True))


def test_it_works(signed_in: SignIn, acme: Customer) -> None:
    ada = Contact.objects.create(customer=acme, name="Ada Lovelace", is_main=True)
    client = signed_in("account_manager")
    post(client, f"/customers/{acme.pk}/plans/new/", title="Live by June", goals="Everybody uses it\n\nLess waste\n")
    plan = SuccessPlan.objects.get()
    assert [goal.text for goal in plan.goals.all()] == ["Everybody uses it", "Less waste"]
    step = {"title": "Branches counted", "due_on": "2026-12-01", "goal": plan.goals.first().pk, "theirs": ada.pk}  # type: ignore[union-attr]
    part = post(client, f"/plans/{plan.pk}/milestone/", part=True, **step)
    assert "By 1 Dec 2026 · there: Ada Lovelace" in part
    assert "<html" not in part
    post(client, f"/plans/{plan.pk}/goal/", text="More guests", measure="Counted at noon")
    post(client, f"/plans/{plan.pk}/act/", act="agree", contact=ada.pk)
    made = Milestone.objects.get()
    text = post(client, f"/plans/milestones/{made.pk}/act/", part=True, act="done")
    assert "<strong>1 of 1</strong> milestone done" in text
    assert "10 Nov 2026</time> with Ada Lovelace" in text
    panel = client.get(f"/customers/{acme.pk}/plans/", headers={"HX-Request": "true"}).content.decode()
    assert "1 of 1 milestone" in panel
    post(client, f"/plans/{plan.pk}/act/", act="reached")
    assert kinds() == ["plan.begun", "plan.agreed", "milestone.done", "plan.closed"]
    timeline = page(client, f"/customers/{acme.pk}/")
    assert "Agreed the plan Live by June with Ada Lovelace" in timeline
    assert f'href="/plans/{plan.pk}/"' in timeline


def test_a_plan_is_begun_from_the_list(signed_in: SignIn, acme: Customer) -> None:
    """For whoever is chosen; nothing typed is lost where nobody goes by that name."""
    client, url = signed_in("account_manager"), "/plans/new/"
    assert f'href="{url}"' in page(client, "/today/plans/")
    assert 'value="acme"' in page(client, f"{url}?customer=acme")
    refused = client.post(url, {"customer": "acmee", "title": "Live by June"})
    assert refused.status_code == 422
    assert "No customer goes by this name" in refused.content.decode()
    assert 'value="Live by June"' in refused.content.decode()
    made = client.post(url, {"customer": "Acme", "title": "Live by June", "goals": "Less waste"})
    plan = SuccessPlan.objects.get()
    assert (made["Location"], plan.customer, plan.goals.get().text) == (f"/plans/{plan.pk}/", acme, "Less waste")
    assert "Open already" in page(client, f"/customers/{acme.pk}/plans/new/")
    assert signed_in("analyst").get(url).status_code == 403
    assert url not in page(signed_in("analyst"), "/today/plans/")


def test_a_closed_plan_is_changed_by_nobody_until_it_is_taken_up_again(signed_in: SignIn, plan: SuccessPlan) -> None:
    client, step = signed_in("account_manager"), plan.milestones.get()
    post(client, f"/plans/{plan.pk}/act/", act="dropped")
    assert "The plan is closed" in post(client, f"/plans/milestones/{step.pk}/act/", act="done")
    for url in (f"/plans/{plan.pk}/goal/", f"/plans/{plan.pk}/edit/", f"/plans/milestones/{step.pk}/"):
        assert client.post(url, {"title": "x", "text": "x"}).status_code == 404
    assert "The plan is closed" in post(client, f"/plans/{plan.pk}/share/", days=30)
    post(client, f"/plans/{plan.pk}/act/", act="reopen")
    plan.refresh_from_db()
    assert (plan.state, plan.closed_at) == ("agreed", None)
    assert "It is open." in post(client, f"/plans/{plan.pk}/act/", act="reopen")


def test_two_people_at_one_milestone(signed_in: SignIn, plan: SuccessPlan, anna: User) -> None:
    step, client = plan.milestones.get(), signed_in("account_manager")
    url = f"/plans/milestones/{step.pk}/"
    opened = re.findall(r'name="opened" value="([^"]+)"', page(client, url))[0]
    typed = {"title": "Branches counted", "due_on": "2026-11-20", "ours": anna.pk, "note": "Mine"}
    assert signed_in("administrator").post(url, typed | {"opened": opened, "due_on": "2026-11-25"}).status_code == 302
    second = client.post(url, typed | {"opened": opened, "ours": ""})
    text = unescape(second.content.decode())
    assert second.status_code == 409
    assert "By “2026-11-25”; Who sees to it here “Anna”" in text
    assert 'value="2026-11-20"' in text
    assert Milestone.objects.get().due_on == date(2026, 11, 25)
    again = re.findall(r'name="opened" value="([^"]+)"', text)[0]
    client.post(url, typed | {"opened": again})
    assert Milestone.objects.get().due_on == date(2026, 11, 20)
    told = [event.payload for event in Event.objects.filter(kind="milestone.moved").order_by("pk")]
    assert [(each["was"], each["due"]) for each in told] == [
        ("15 Nov 2026", "25 Nov 2026"),
        ("25 Nov 2026", "20 Nov 2026"),
    ]
    part = client.post(url, typed | {"opened": opened}, headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Retarget"]) == (200, f"#milestone-{step.pk}")


def test_what_slips_is_told_once_for_each_day_it_was_due(plan: SuccessPlan, at: At) -> None:
    def slipped() -> list[str]:
        return [event.payload["due"] for event in Event.objects.filter(kind="milestone.slipped").order_by("pk")]

    Workspace.objects.update(time_zone="Pacific/Auckland")
    at(NOW + 4.9 * DAY)  # there, the 15th is not over
    keep_up()
    assert slipped() == []
    at(NOW + 5 * DAY)
    keep_up()
    assert slipped() == ["15 Nov 2026"]
    at(NOW + 8 * DAY)
    assert slipping.notice_all() == 0
    Milestone.objects.update(due_on=TODAY + 20 * DAY)
    keep_up()
    assert len(slipped()) == 1
    at(NOW + 30 * DAY)
    assert slipping.notice_all() == 1
    assert slipped() == ["15 Nov 2026", "30 Nov 2026"]


def test_what_slips_is_on_today_and_done_from_there(signed_in: SignIn, plan: SuccessPlan, anna: User, at: At) -> None:
    draft = keeping.begin(plan.customer, "Draft", "", [], anna)
    Milestone.objects.create(plan=draft, title="Not agreed yet", due_on=TODAY)
    Milestone.objects.create(plan=plan, title="Later", due_on=TODAY + 7 * DAY)
    found = needs("mine", Moment(clock.now(), Workspace.current().zone, anna.pk), "EUR", size=9).needs
    assert [need.reason for need in found] == ["“Branches counted” is to be done by 15 Nov 2026, in 4 days."]
    at(NOW + 9 * DAY)
    late = needs("mine", Moment(clock.now(), Workspace.current().zone, anna.pk), "EUR", size=9).needs
    assert "“Branches counted” was to be done by 15 Nov 2026, 4 days ago." in [need.reason for need in late]
    at(NOW)
    step = plan.milestones.get(title="Branches counted")
    client = signed_in("account_manager")
    assert f'href="/plans/{plan.pk}/"' in page(client, "/today/")
    post(client, "/today/act/", need=f"milestone:{step.pk}", act="done", whose="mine", page="1")
    assert Milestone.objects.get(pk=step.pk).state == "done"
    assert not Task.objects.exists()


def test_a_goal_goes_and_its_milestones_stay(signed_in: SignIn, plan: SuccessPlan) -> None:
    text = post(signed_in("account_manager"), f"/plans/goals/{plan.goals.get().pk}/drop/", part=True)
    assert "Beside the goals" in text
    assert Milestone.objects.get().goal is None
    assert not Goal.objects.exists()


def test_who_may_only_read_is_refused(signed_in: SignIn, plan: SuccessPlan) -> None:
    step = plan.milestones.get()
    for role in ("analyst", "marketer"):
        client = signed_in(role)
        text = page(client, f"/plans/{plan.pk}/")
        assert "Branches counted" in text
        assert "<button" not in text.split('id="plan"')[1].split("</main>")[0]
        acts = ("edit", "act", "goal", "milestone", "share")
        assert {client.post(f"/plans/{plan.pk}/{act}/").status_code for act in acts} == {403}
        assert client.post(f"/plans/milestones/{step.pk}/act/", {"act": "done"}).status_code == 403
    assert Milestone.objects.get().state == "open"


def test_what_is_refused_stands_beside_its_field(signed_in: SignIn, plan: SuccessPlan) -> None:
    other = Contact.objects.create(customer=customer("other"), name="Somebody else's")
    client = signed_in("account_manager")
    answer = client.post(f"/plans/{plan.pk}/milestone/", {"title": "Kept", "due_on": "", "theirs": other.pk})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Kept"' in text
    assert text.count("field-errors") == 2
    assert client.post(f"/plans/{plan.pk}/act/", {"act": "x"}).status_code == 400


def test_a_fixed_number_of_queries(signed_in: SignIn, plan: SuccessPlan, anna: User) -> None:
    client = signed_in("account_manager")
    urls = {
        "plan": f"/plans/{plan.pk}/",
        "plans": "/today/plans/",
        "plans of a customer": f"/customers/{plan.customer_id}/plans/",
    }
    counts = []
    for number in (1, 12):
        for each in range(number):
            more = keeping.begin(plan.customer, f"Plan {each}", "", ["A", "B"], anna)
            goals = [Goal(plan=plan, text=f"Goal {each}"), Goal(plan=more, text=f"Goal {each}")]
            for goal in Goal.objects.bulk_create(goals):
                Milestone.objects.create(plan=goal.plan, goal=goal, title="Step", due_on=TODAY, ours=anna)
        for url in urls.values():
            page(client, url)
        with CaptureQueriesContext(connection) as queries:
            for url in urls.values():
                page(client, url)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    for name, url in urls.items():
        assert_query_count(name, client, url)


def test_another_title_is_looked_at_by_segments(signed_in: SignIn, plan: SuccessPlan) -> None:
    Dirty.objects.all().delete()
    post(signed_in("account_manager"), f"/plans/{plan.pk}/edit/", title="Live by July", opened="")
    assert SuccessPlan.objects.get().title == "Live by July"
    assert Dirty.objects.get().customer_id == plan.customer_id


def test_a_goal_of_a_closed_plan_stays(signed_in: SignIn, plan: SuccessPlan, anna: User) -> None:
    keeping.close(plan.pk, SuccessPlan.State.REACHED, anna)
    client = signed_in("account_manager")
    assert "The plan is closed." in post(client, f"/plans/goals/{plan.goals.get().pk}/drop/")
    assert plan.goals.exists()


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_today_names_the_day_of_a_milestone_wherever_that_is(signed_in: SignIn, plan: SuccessPlan, zone: str) -> None:
    Workspace.objects.update(time_zone=zone)
    assert "“Branches counted” is to be done by 15 Nov 2026" in page(signed_in("account_manager"), "/today/")


def test_whoever_has_left_keeps_their_milestones_until_others_are_chosen(signed_in: SignIn, plan: SuccessPlan) -> None:
    client, step = signed_in("account_manager"), plan.milestones.get()
    ours = User.objects.create_user("gone@example.test", role=Role.ACCOUNT_MANAGER, is_active=False)
    theirs = Contact.objects.create(customer=plan.customer, name="Uma", removed_at=NOW)
    Milestone.objects.update(ours=ours, theirs=theirs)
    form = page(client, f"/plans/milestones/{step.pk}/")
    for row in (ours, theirs):
        assert f'<option value="{row.pk}" selected>' in form
