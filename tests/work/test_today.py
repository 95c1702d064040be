"""Today: who needs somebody, in which order, and what can be done about it on the spot."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from customers.models import (
    Customer,
    Interval,
    Stage,
    Subscription,
    SubscriptionTerm,
    Task,
)
from customers.work.tasks import close_task, open_task
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.baseline import assert_query_count
from tests.work.conftest import MakeCustomer
from tests.work.doing import act, ranked, task

SignIn = Callable[[str], Client]
ZONE = ZoneInfo("UTC")  # as the workspace has it
pytestmark = pytest.mark.django_db


def test_it_works(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    bakery = make("Bakery", manager, stage=Stage.AT_RISK, revenue_365d=Decimal(900))
    task(make("Cafe", manager), days=-2)
    client = signed_in("account_manager")
    page = client.get("/today/").content.decode()
    assert page.index("Call Cafe") < page.index("Find out why they went quiet")
    assert "900.00 EUR" in page
    assert f'href="/customers/{bakery.pk}/plans/new/" aria-label="Begin a plan with Bakery"' in page
    assert "Done: Find out why they went quiet – Bakery." in act(client, f"at_risk:{bakery.pk}", "done")
    assert "Find out why" not in client.get("/today/").content.decode().split('id="needs"')[1]
    done = Task.objects.get(customer=bakery)
    assert (done.state, done.closed_by) == (Task.State.DONE, manager)


def test_nothing_that_people_wrote_becomes_html(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    attack = "<b>\"&'"
    ben = User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER, first_name=attack)
    make("Bakery", manager, renews_in=40)
    odd = make("Cafe", manager)
    Customer.objects.update(name=f"Name{attack}", phone=f"+1{attack}", email=f"x{attack}@example.test")
    SubscriptionTerm.objects.update(currency="<b>")
    open_task(odd.pk, f"Title{attack}", f"Why{attack}", clock.now(), ben.pk, "")
    page = signed_in("administrator").get("/today/").content.decode()
    assert "<b>" not in page
    assert page.count("Name&lt;b&gt;&quot;&amp;&#x27;") == 14
    for words in ("Title", "Why", "For ", "tel:+1", "mailto:x"):
        assert f"{words}&lt;b&gt;" in page


def test_what_is_late_comes_before_what_is_due_and_money_ranks_within(manager: User, make: MakeCustomer) -> None:
    task(make("Late", manager, mrr=Decimal(1)), days=-3, to=manager)
    task(make("Late and rich", manager, mrr=Decimal(100)), days=-1, to=manager)
    task(make("Unhappy", manager), days=2, origin="answer:1", to=manager)
    task(make("Soon", manager, mrr=Decimal(999)), days=3, to=manager)
    task(make("Later", manager), days=20, to=manager)
    make("Renews next week", manager, renews_in=7, mrr=Decimal(5))
    make("Renews in fifty", manager, renews_in=50, mrr=Decimal(5))
    make("Quiet", manager, stage=Stage.AT_RISK, revenue_365d=Decimal(100))
    make("Quiet and rich", manager, stage=Stage.AT_RISK, revenue_365d=Decimal(10), mrr=Decimal(10))
    assert ranked(manager) == [
        (1, "Late and rich", "task"),
        (1, "Late", "task"),
        (1, "Unhappy", "task"),
        (2, "Soon", "task"),
        (2, "Renews next week", "renewal"),
        (3, "Quiet and rich", "at_risk"),
        (3, "Quiet", "at_risk"),
        (3, "Renews in fifty", "renewal"),
    ]


def test_what_needs_nobody_is_not_listed(manager: User, make: MakeCustomer) -> None:
    make("No money at stake", manager, stage=Stage.AT_RISK)
    make("Active", manager, stage=Stage.ACTIVE, mrr=Decimal(50))
    make("Renews in ninety", manager, renews_in=90)
    make("Renewed yesterday", manager, renews_in=-1)
    make("Monthly", manager, renews_in=20, interval=Interval.MONTH)
    ended = make("Ended", manager, renews_in=20)
    SubscriptionTerm.objects.filter(customer=ended).update(valid_to=clock.now())
    closed = task(make("Closed", manager), days=1)
    close_task(closed.pk, Task.State.DONE, None)
    assert ranked(manager) == []


def test_a_customer_who_renews_and_is_at_risk_is_one_line(manager: User, make: MakeCustomer) -> None:
    make("Both", manager, renews_in=30, stage=Stage.AT_RISK)
    make("Both soon", manager, renews_in=3, stage=Stage.AT_RISK)
    assert ranked(manager) == [(2, "Both soon", "renewal"), (3, "Both", "at_risk")]


def test_mine_nobodys_and_everyones(manager: User, make: MakeCustomer) -> None:
    ben = User.objects.create_user("ben@example.test", role=Role.ACCOUNT_MANAGER)
    task(make("Mine", manager), days=0)
    task(make("Mine handed to Ben", manager), days=0, to=ben)
    task(make("Bens", ben), days=0)
    task(make("Nobodys"), days=0)
    make("Nobodys quiet", None, stage=Stage.AT_RISK, mrr=Decimal(1))
    assert [name for _, name, _ in ranked(manager)] == ["Mine"]
    assert {name for _, name, _ in ranked(ben)} == {"Mine handed to Ben", "Bens"}
    assert {name for _, name, _ in ranked(manager, "nobodys")} == {"Nobodys", "Nobodys quiet"}
    assert len(ranked(manager, "everyones")) == 5


def test_a_signal_with_a_task_is_left_to_the_task(manager: User, make: MakeCustomer) -> None:
    quiet = make("Quiet", manager, stage=Stage.AT_RISK, mrr=Decimal(9))
    task(quiet, days=30)
    assert ranked(manager) == []


def test_a_task_due_after_the_renewal_does_not_hide_it(manager: User, make: MakeCustomer) -> None:
    task(make("Boreal", manager, renews_in=10), days=30)
    task(make("Cafe", manager, renews_in=50), days=30)
    assert ranked(manager) == [(3, "Boreal", "renewal")]


def test_on_the_customers_page_too(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    boreal, other = make("Boreal", manager), make("Cafe", manager)
    mine = task(boreal, days=0)
    client = signed_in("account_manager")
    url = f"/customers/{boreal.pk}/"
    assert f'action="{url}tasks/"' in client.get(url).content.decode()
    sent = {"need": f"task:{mine.pk}", "act": "snooze-7"}
    part = client.post(f"{url}tasks/", sent, headers={"hx-request": "true"}).content.decode()
    assert "<html" not in part
    assert "Put off until" in part
    page = client.post(f"{url}tasks/", sent | {"act": "done"}, follow=True).content.decode()
    assert "Done: Call Boreal – Boreal." in page
    assert "Task put off until" in page
    assert client.post(f"/customers/{other.pk}/tasks/", {"need": "renewal:1", "act": "undo"}).status_code == 400
    assert client.post("/customers/999999/tasks/", sent).status_code == 404
    assert signed_in("analyst").post(f"{url}tasks/", sent).status_code == 403
    assert "tasks/" not in signed_in("analyst").get(url).content.decode()


def test_the_list_comes_back_alone_to_htmx(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    mine = task(make("Boreal", manager), days=0)
    sent = {"need": f"task:{mine.pk}", "act": "done", "whose": "mine", "page": "1"}
    part = signed_in("account_manager").post("/today/act/", sent, headers={"hx-request": "true"}).content.decode()
    assert "<html" not in part
    assert "Done: Call Boreal – Boreal." in part
    assert 'value="undo"' in part


def test_who_may_read_only_sees_no_buttons_and_is_refused(signed_in: SignIn, make: MakeCustomer) -> None:
    opened = task(make("Boreal"), days=0)
    analyst = signed_in("analyst")
    page = analyst.get("/today/").content.decode()
    assert "Call Boreal" in page
    assert "/today/act/" not in page
    assert "/plans/new/" not in page
    assert "/interactions/new/" not in page
    sent = {"need": f"task:{opened.pk}", "act": "done", "whose": "mine", "page": "1"}
    assert analyst.post("/today/act/", sent).status_code == 403
    assert analyst.get("/today/new/").status_code == 403
    assert analyst.get("/today/act/").status_code in {403, 405}


def test_a_task_by_hand(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    customer = make("Boreal", manager)
    client = signed_in("account_manager")
    assert 'value="Boreal"' in client.get("/today/new/?customer=Boreal").content.decode()
    day = (clock.now() + timedelta(days=1)).date().isoformat()
    wanted = {"customer": "boreal@EXAMPLE.test", "title": "Send the offer", "due": day, "assignee": manager.pk}
    assert "Opened for Boreal: Send the offer." in client.post("/today/new/", wanted, follow=True).content.decode()
    made = Task.objects.get()
    assert (made.customer, made.assignee, made.origin) == (customer, manager, "")
    refused = client.post("/today/new/", wanted | {"title": "", "customer": "nobody", "due": "soon", "reason": "Kept"})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "No customer goes by this name, ID or e-mail address." in page
    assert "Kept" in page
    assert "Enter a valid date." in page


def test_pages_hold_a_part_each_and_a_fixed_number_of_queries(
    signed_in: SignIn, manager: User, make: MakeCustomer
) -> None:
    client = signed_in("account_manager")
    for number in range(4):
        task(make(f"T{number}", manager), days=0)
        make(f"R{number}", manager, stage=Stage.AT_RISK, mrr=Decimal(1))
    assert_query_count("today", client, "/today/")
    for number in range(4, 30):
        task(make(f"T{number}", manager), days=0)
        make(f"R{number}", manager, stage=Stage.AT_RISK, mrr=Decimal(1))
    assert_query_count("today", client, "/today/")
    seen = [
        re.findall(r'class="need-name"[^>]*>(\w+)<', client.get(f"/today/?page={p}").content.decode())
        for p in (1, 2, 3)
    ]
    assert [len(page) for page in seen] == [25, 25, 10]
    assert len({name for page in seen for name in page}) == 60
    assert "Nobody needs you" in client.get("/today/?page=99").content.decode()
    assert client.get("/today/?page=x&whose=x&undo=x").status_code == 200


def test_an_empty_list_says_what_will_show(signed_in: SignIn, make: MakeCustomer) -> None:
    assert "Nobody needs you just now" in signed_in("account_manager").get("/today/").content.decode()
    assert 'href="/data/new/">Bring in a file' in signed_in("administrator").get("/today/").content.decode()
    make("Lantern", None)
    assert "Nobody needs attention just now" in signed_in("administrator").get("/today/").content.decode()


def test_a_customer_is_found_by_name_and_the_past_is_no_due_date(
    signed_in: SignIn, manager: User, make: MakeCustomer
) -> None:
    make("Lantern Cafe", manager)
    lantern, client = make("Lantern", manager), signed_in("account_manager")
    shown = client.get("/customers/offered/?customer=lant").content.decode()
    assert shown.count("<option") == 2
    assert f'<option value="{lantern.external_id}">' in shown
    wanted = {"customer": "lantern", "title": "Call", "due": "2020-01-01", "assignee": ""}
    assert "This day is over." in client.post("/today/new/", wanted).content.decode()
    client.post("/today/new/", wanted | {"due": (clock.now() + timedelta(days=1)).date().isoformat()})
    assert Task.objects.get().customer == lantern
    Customer.objects.create(external_id="other", name="LANTERN")
    twice = client.post("/today/new/", wanted | {"customer": "Lantern "}).content.decode()
    assert "More than one customer goes by this" not in twice  # the ID of one of them is just that
    lantern.external_id = "l-1"
    lantern.save()
    assert "More than one customer goes by this" in client.post("/today/new/", wanted).content.decode()


def test_a_renewal_leads_to_its_contract(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    contract = Subscription.objects.get(customer=make("Renews", manager, renews_in=7))
    page = signed_in("account_manager").get("/today/").content.decode()
    assert f'<a href="/subscriptions/{contract.pk}/">Agree the renewal</a>' in page


def test_an_unhappy_answer_and_a_customer_gone_quiet_lead_to_the_call(
    signed_in: SignIn, manager: User, make: MakeCustomer
) -> None:
    quiet = make("Quiet", manager, stage=Stage.AT_RISK, mrr=Decimal(5))
    unhappy = make("Unhappy", manager)
    call = open_task(unhappy.pk, "Call about their score of 2", "Cold bread.", clock.now(), manager.pk, "answer:1")
    page = signed_in("account_manager").get("/today/").content.decode()
    form = f"/customers/{unhappy.pk}/interactions/new/?kind=call&amp;need=task:{call.pk}&amp;whose=mine"
    assert f'<a href="{form}">Call about their score of 2</a>' in page
    form = f"/customers/{quiet.pk}/interactions/new/?kind=call&amp;need=at_risk:{quiet.pk}&amp;whose=mine"
    assert f'<a href="{form}">Find out why they went quiet</a>' in page
    assert "/interactions/new/" not in signed_in("analyst").get("/today/").content.decode()


def test_a_next_step_leads_to_the_talk_that_it_comes_of(signed_in: SignIn, manager: User, make: MakeCustomer) -> None:
    cafe = make("Cafe", manager)
    origins = {"Answer Ben": "mention:7:3", "Send the prices": "interaction:7", "Read the summary": "handover:8"}
    for title, origin in origins.items():
        open_task(cafe.pk, title, "", clock.now(), manager.pk, origin)
    page = signed_in("account_manager").get("/today/").content.decode()
    assert '<a href="/customers/interactions/7/">Answer Ben</a>' in page
    assert '<a href="/customers/interactions/7/">Send the prices</a>' in page
    assert '<a href="/customers/hand-overs/8/">Read the summary</a>' in page
