"""From an event to a message: segments, campaigns and goals follow by themselves, and sweeping does all of it."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from campaigns.enrolment import take_in
from campaigns.life import NotPossible, finish, launch, pause, resume
from campaigns.models import Campaign, Enrolment, Message
from campaigns.routing import route
from campaigns.sweeping import keep_up, sweep_until_idle
from customers.events.recording import Happening, record
from customers.models import Customer, Order, Segment
from retention.common import clock
from retention.workspace.models import Job, User
from tests.campaigns import people
from tests.campaigns.sink import Sink

pytestmark = pytest.mark.django_db
LAPSING = {"field": "last_order_at", "op": "more_than_days_ago", "value": 60}


@pytest.fixture
def marketer() -> User:
    return User.objects.create_user("m@example.test", role="marketer")


def ordered(customer: Customer, days_ago: float) -> None:
    """An order as an import records it."""
    at = clock.now() - timedelta(days=days_ago)
    row = Order.objects.create(
        external_id=f"{customer.pk}-{days_ago}", customer=customer, ordered_at=at, currency="EUR", amount=Decimal(20)
    )
    payload = {"amount": "20.00", "currency": "EUR", "external_id": row.external_id}
    record([Happening(customer.pk, "order.placed", at, ref=f"order:{row.pk}", payload=payload, dedup_key=f"o{row.pk}")])


def lapsing() -> Segment:
    return Segment.objects.create(name="Lapsing", rule={"all": [LAPSING]})


def settle_down() -> None:
    while route():
        pass


def test_it_works(plain_sink: Sink, marketer: User) -> None:
    gone, fresh = people.customers(2)
    ordered(gone, 90)
    ordered(fresh, 5)
    draft = people.campaign(lapsing(), running=False)
    launch(draft, marketer)
    swept = sweep_until_idle()
    assert (swept.sent, swept.jobs) == (1, 1)
    assert plain_sink.recipients == [gone.email]
    assert Enrolment.objects.get().customer == gone
    job = Job.objects.get()
    assert (job.state, job.summary["treated"], job.summary["held_out"]) == ("done", 1, 0)


def test_an_order_meets_the_goal_when_it_is_routed(plain_sink: Sink, marketer: User) -> None:
    (gone,) = people.customers(1)
    ordered(gone, 90)
    launch(people.campaign(lapsing(), running=False), marketer)
    sweep_until_idle()
    ordered(gone, 0)
    settle_down()
    enrolment = Enrolment.objects.get()
    assert enrolment.goal_met_at
    assert enrolment.left_because == "goal met"
    assert not Segment.objects.get().memberships.filter(left_at=None).exists()


def test_who_enters_later_is_taken_in_by_routing_alone(marketer: User) -> None:
    (customer,) = people.customers(1)
    campaign = people.campaign(lapsing())
    settle_down()
    assert not Enrolment.objects.exists()
    ordered(customer, 90)
    settle_down()
    assert campaign.enrolments.get().customer == customer
    assert Message.objects.count() == 1


def test_time_alone_brings_somebody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    (customer,) = people.customers(1)
    ordered(customer, 30)
    campaign = people.campaign(lapsing())
    keep_up()
    assert not campaign.enrolments.exists()
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=31))
    keep_up()
    assert campaign.enrolments.count() == 1


def test_pause_holds_everything_and_resume_makes_up_for_it(plain_sink: Sink, marketer: User) -> None:
    first, second = people.customers(2)
    ordered(first, 90)
    campaign = people.campaign(lapsing())
    keep_up()
    pause(campaign)
    ordered(second, 90)
    sweep_until_idle()
    assert campaign.enrolments.count() == 1
    assert not plain_sink.accepted
    resume(campaign, marketer)
    sweep_until_idle()
    assert sorted(plain_sink.recipients) == [first.email, second.email]


def test_finish_cancels_what_waits(plain_sink: Sink) -> None:
    campaign = people.campaign(people.segment(rows=people.customers(3)))
    take_in(campaign)
    finish(campaign)
    sweep_until_idle()
    assert set(Message.objects.values_list("state", "reason")) == {("cancelled", "The campaign was finished.")}
    assert set(Enrolment.objects.values_list("left_because", flat=True)) == {"campaign finished"}
    assert not plain_sink.accepted


def test_a_life_goes_one_way(marketer: User) -> None:
    campaign = people.campaign(people.segment(), running=False)
    with pytest.raises(NotPossible):
        pause(campaign)
    launch(campaign, marketer)
    with pytest.raises(NotPossible):
        launch(campaign, marketer)
    with pytest.raises(NotPossible):
        resume(campaign, marketer)
    finish(campaign)
    for step in (lambda: pause(campaign), lambda: resume(campaign, marketer), lambda: finish(campaign)):
        with pytest.raises(NotPossible):
            step()
    assert Campaign.objects.get().state == "finished"


def test_the_command_says_what_it_did(plain_sink: Sink, marketer: User) -> None:
    rows = people.customers(3)
    for row in rows:
        ordered(row, 90)
    launch(people.campaign(lapsing(), running=False), marketer)
    said = StringIO()
    call_command("sweep", "--until-idle", stdout=said)
    assert "3 enrolled" in said.getvalue() or "1 jobs run" in said.getvalue()
    assert "3 sent" in said.getvalue()
    said = StringIO()
    call_command("sweep", stdout=said)
    assert said.getvalue().strip() == "Nothing was due."
