"""Who is taken in, who is held out, who is refused and why."""

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.enrolment import Taken, enrol, take_in
from campaigns.gates import GATES
from campaigns.models import Arm, Campaign, Enrolment, Message, Refusal, Suppression
from campaigns.rehearsal import rehearse
from customers.models import Consent, Customer, Event, Order, SegmentMembership
from retention.common import clock
from tests.campaigns import people

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    campaign = people.campaign(people.segment(rows=people.customers(3)), step={"wait_hours": 5})
    assert take_in(campaign) == Taken(treated=3, held_out=0, refused=0, messages=3)
    enrolment = Enrolment.objects.first()
    assert enrolment is not None
    assert [(found["gate"], found["passed"]) for found in enrolment.gates] == [(gate.name, True) for gate in GATES]
    message = enrolment.messages.get()
    assert message.due_at - enrolment.entered_at == timedelta(hours=5)
    assert message.send_by - message.due_at == timedelta(hours=168)
    key = f"{campaign.pk}:{message.step_id}:{enrolment.customer_id}:email:{enrolment.occurrence}"
    assert message.dedupe_key == sha256(key.encode()).hexdigest()
    assert Event.objects.filter(kind="campaign.enrolled", ref=f"campaign:{campaign.pk}").count() == 3


def test_taking_in_twice_changes_nothing() -> None:
    rows = people.customers(5)
    campaign = people.campaign(people.segment(rows=rows), holdout_share=Decimal(40))
    first = take_in(campaign)
    again = enrol(campaign.pk, list(SegmentMembership.objects.values_list("id", flat=True)))
    assert first.treated + first.held_out == 5
    assert again == Taken()
    assert Message.objects.count() == first.messages == first.treated
    assert Event.objects.count() == 5


@pytest.mark.parametrize("state", ["draft", "paused", "finished"])
def test_only_a_running_campaign_takes_anybody_in(state: str) -> None:
    campaign = people.campaign(people.segment(rows=people.customers(2)), running=False)
    if state != "draft":
        Campaign.objects.filter(pk=campaign.pk).update(state="running", launched_at=clock.now())
        Campaign.objects.filter(pk=campaign.pk).update(state=state)
    campaign.refresh_from_db()
    assert take_in(campaign) == Taken()


def test_each_gate_stops_its_customer_and_says_what_it_found() -> None:
    rows = people.customers(8, agreed=False)
    address, agreed, withdrawn, suppressed, left_out, inside, ordered, fine = rows
    Customer.objects.filter(pk=address.pk).update(email="")
    people.agree([row for row in rows if row not in (agreed, withdrawn)])
    people.agree([withdrawn], Consent.State.WITHDRAWN)
    Suppression.objects.create(channel="email", address=suppressed.email.upper(), reason="bounced")
    excluded = people.segment("Key accounts", [left_out])
    made = people.segment(rows=rows)
    campaign = people.campaign(made, not_in=excluded)
    membership = {row.customer_id: row.pk for row in made.memberships.all()}
    Enrolment.objects.create(
        campaign=campaign, customer=inside, occurrence=0, arm=Arm.TREATED, gates=[], entered_at=clock.now()
    )
    Order.objects.create(external_id="1", customer=ordered, ordered_at=clock.now(), currency="EUR", amount=5)
    assert take_in(campaign) == Taken(treated=1, refused=7, messages=1)
    assert dict(Refusal.objects.values_list("customer_id", "gate")) == {
        address.pk: "has_address",
        agreed.pk: "agreed",
        withdrawn.pk: "agreed",
        suppressed.pk: "not_suppressed",
        left_out.pk: "not_left_out",
        inside.pk: "not_inside",
        ordered.pk: "goal_not_met",
    }
    assert Enrolment.objects.get(occurrence=membership[fine.pk]).customer == fine
    found = {entry["gate"]: entry["found"] for entry in Refusal.objects.get(customer=left_out).gates}
    assert found["not_left_out"] == "Key accounts"
    assert found["has_address"] == left_out.email


def test_a_customer_who_just_got_a_message_rests() -> None:
    rows = people.customers(2)
    first = people.campaign(people.segment(rows=rows[:1]))
    take_in(first)
    for state in ("claimed", "sending", "sent"):
        Message.objects.update(state=state, settled_at=clock.now() - timedelta(days=6))
    other = people.segment("Other", rows)
    assert take_in(people.campaign(other, name="Strict", rest_days=7)).refused == 1
    assert take_in(people.campaign(other, name="Soft", rest_days=5)).refused == 0
    assert take_in(people.campaign(other, name="None", rest_days=0)).refused == 0


def test_an_order_from_before_they_came_up_is_no_obstacle() -> None:
    rows = people.customers(1)
    Order.objects.create(
        external_id="1", customer=rows[0], ordered_at=clock.now() - timedelta(hours=1), currency="EUR", amount=5
    )
    assert take_in(people.campaign(people.segment(rows=rows))).treated == 1


def test_those_already_there_can_be_left_out() -> None:
    rows = people.customers(2)
    made = people.segment(rows=rows[:1])
    campaign = people.campaign(made, take_present=False)
    assert take_in(campaign) == Taken()
    SegmentMembership.objects.create(segment=made, customer=rows[1], entered_at=clock.now())
    assert take_in(campaign).treated == 1
    assert Enrolment.objects.get().customer == rows[1]


def test_who_comes_again_is_taken_in_again_after_leaving() -> None:
    rows = people.customers(1)
    made = people.segment(rows=rows)
    campaign = people.campaign(made, rest_days=0)
    take_in(campaign)
    made.memberships.update(left_at=clock.now())
    again = SegmentMembership.objects.create(segment=made, customer=rows[0], entered_at=clock.now())
    assert take_in(campaign).refused == 1
    assert Refusal.objects.get().gate == "not_inside"
    Enrolment.objects.update(left_at=clock.now())
    again.left_at = clock.now()
    again.save()
    SegmentMembership.objects.create(segment=made, customer=rows[0], entered_at=clock.now())
    assert take_in(campaign).treated == 1
    assert Message.objects.count() == 2


def draw(campaign_id: int, customer_id: int) -> float:
    return int(sha256(f"{campaign_id}:{customer_id}".encode()).hexdigest()[:12], 16) / 2**48


def test_the_arm_is_the_draw_of_campaign_and_customer() -> None:
    made = people.segment(rows=people.customers(300))
    for name in ("One", "Two"):
        campaign = people.campaign(made, name=name, holdout_share=Decimal(30))
        dry = rehearse(campaign)
        taken = take_in(campaign)
        assert (dry.treated, dry.held_out) == (taken.treated, taken.held_out)
        for customer_id, arm in campaign.enrolments.values_list("customer_id", "arm"):
            assert arm == ("control" if draw(campaign.pk, customer_id) < 0.3 else "treated")


def test_the_draw_is_unbiased_and_independent_between_campaigns() -> None:
    """On fixed ids, so that a rare draw cannot fail it by chance: chi-squared below 10.83 is p > 0.001."""
    size, share = 4_000, 0.3
    held_out = [{who for who in range(size) if draw(campaign, who) < share} for campaign in range(1, 6)]
    for arm in held_out:
        assert (len(arm) - size * share) ** 2 / (size * share * (1 - share)) < 10.83
    for one, other in pairwise(held_out):
        expected = size * share**2
        assert abs(len(one & other) - expected) < 4 * (expected * (1 - share**2)) ** 0.5


def test_the_held_out_get_no_message() -> None:
    campaign = people.campaign(people.segment(rows=people.customers(200)), holdout_share=Decimal(50))
    take_in(campaign)
    assert not Message.objects.filter(enrolment__arm=Arm.CONTROL).exists()
    assert Message.objects.count() == Enrolment.objects.filter(arm=Arm.TREATED).count()
    assert Event.objects.filter(kind="campaign.held_out").count() == Enrolment.objects.filter(arm=Arm.CONTROL).count()


KINDS = ("fine", "no address", "never asked", "suppressed", "ordered")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=12),
    share=st.integers(0, 90),
)
def test_a_rehearsal_promises_what_the_launch_does(kinds: list[str], share: int) -> None:
    campaign = _candidates(kinds, share)
    dry = rehearse(campaign)
    taken = take_in(campaign)
    assert dry.candidates == len(kinds) == dry.treated + dry.held_out + dry.stopped
    assert (taken.treated, taken.held_out, taken.refused) == (dry.treated, dry.held_out, dry.stopped)
    for each in dry.blocked:
        assert Refusal.objects.filter(campaign=campaign, gate=each.gate.name).count() == each.customers
    assert rehearse(campaign).candidates == 0


def _candidates(kinds: list[str], share: int) -> Campaign:
    """A running campaign over new customers of these kinds, beside whatever is there already."""
    run = Campaign.objects.count()
    rows = people.customers(len(kinds), start=Customer.objects.count() + 1, agreed=False)
    of_kind: dict[str, list[Customer]] = {kind: [] for kind in KINDS}
    for row, kind in zip(rows, kinds, strict=True):
        of_kind[kind].append(row)
    people.agree([row for kind in KINDS if kind != "never asked" for row in of_kind[kind]])
    Customer.objects.filter(pk__in=[row.pk for row in of_kind["no address"]]).update(email="")
    Suppression.objects.bulk_create(
        Suppression(channel="email", address=row.email, reason="manual") for row in of_kind["suppressed"]
    )
    campaign = people.campaign(people.segment(f"S{run}", rows), name=f"C{run}", holdout_share=Decimal(share))
    Order.objects.bulk_create(
        Order(external_id=row.external_id, customer=row, ordered_at=clock.now(), currency="EUR")
        for row in of_kind["ordered"]
    )
    return campaign
