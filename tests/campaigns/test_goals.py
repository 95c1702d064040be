"""An order in time meets the goal, in both arms; after it nothing more is sent."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from campaigns.enrolment import take_in
from campaigns.goals import Placed, close, meet
from campaigns.models import Campaign, Enrolment, Message
from customers.models import Event
from retention.common import clock
from tests.campaigns import people

pytestmark = pytest.mark.django_db


def launched(how_many: int = 1, holdout: int = 0) -> Campaign:
    made = people.segment(rows=people.customers(how_many))
    campaign = people.campaign(made, goal_days=30, holdout_share=Decimal(holdout), step={"wait_hours": 48})
    take_in(campaign)
    return campaign


def order(enrolment: Enrolment, at: datetime) -> int:
    return meet([Placed(enrolment.customer_id, at)])


def test_it_works() -> None:
    launched()
    enrolment = Enrolment.objects.get()
    at = enrolment.entered_at + timedelta(days=3)
    assert order(enrolment, at) == 1
    enrolment.refresh_from_db()
    assert (enrolment.goal_met_at, enrolment.left_because) == (at, "goal met")
    message = Message.objects.get()
    assert (message.state, message.reason) == ("cancelled", "They ordered before it was sent.")
    assert Event.objects.get(kind="campaign.goal_met").payload["arm"] == "treated"


def test_the_control_group_meets_goals_too() -> None:
    campaign = launched(60, holdout=50)
    control = campaign.enrolments.filter(arm="control").first()
    assert control is not None
    assert order(control, clock.now()) == 1
    assert Event.objects.get(kind="campaign.goal_met").payload["arm"] == "control"


@pytest.mark.parametrize(
    ("days", "meets"), [(-1, False), (0, False), (0.001, True), (29.999, True), (30, False), (31, False)]
)
def test_only_an_order_in_time_counts(days: float, meets: bool) -> None:
    launched()
    enrolment = Enrolment.objects.get()
    assert order(enrolment, enrolment.entered_at + timedelta(days=days)) == meets


def test_of_several_orders_the_first_counts_whatever_their_order() -> None:
    launched()
    enrolment = Enrolment.objects.get()
    entered = enrolment.entered_at
    assert order(enrolment, entered + timedelta(days=5)) == 1
    assert order(enrolment, entered + timedelta(days=9)) == 0
    assert order(enrolment, entered + timedelta(days=2)) == 1, "a file may bring an earlier one later"
    enrolment.refresh_from_db()
    assert enrolment.goal_met_at == entered + timedelta(days=2)
    assert Event.objects.filter(kind="campaign.goal_met").count() == 1


def test_they_leave_when_the_time_is_over_and_a_late_file_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    launched()
    enrolment = Enrolment.objects.get()
    assert close() == 0
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=31))
    assert close() == 1
    enrolment.refresh_from_db()
    assert (enrolment.left_at, enrolment.left_because) == (enrolment.entered_at + timedelta(days=30), "time over")
    assert order(enrolment, enrolment.entered_at + timedelta(days=20)) == 1
    enrolment.refresh_from_db()
    assert enrolment.left_because == "time over"


def test_what_is_on_the_wire_is_left_alone() -> None:
    launched(2)
    first, second = Message.objects.order_by("id")
    Message.objects.update(state="claimed")
    Message.objects.filter(pk=first.pk).update(state="sending")
    meet([Placed(first.customer_id, clock.now()), Placed(second.customer_id, clock.now())])
    assert list(Message.objects.order_by("id").values_list("state", flat=True)) == ["sending", "cancelled"]
