"""A segment's change that would send mail says so first, and takes somebody who may launch campaigns."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from campaigns.enrolment import take_in
from campaigns.life import pause
from campaigns.models import Arm, Campaign, Message
from campaigns.sweeping import sweep_until_idle
from customers.models import Customer, Segment
from customers.segments.membership import refresh
from tests.campaigns import people

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def country(op: str, value: str) -> dict[str, Any]:
    return {"all": [{"field": "country", "op": op, "value": value}]}


@pytest.fixture
def french() -> Segment:
    """Three customers of France; the French among ten others are to come. One of these has not agreed to mail."""
    people.customers(3)
    people.customers(9, start=4, country="ES")
    people.customers(1, start=13, country="ES", agreed=False)
    made = people.segment("French")
    made.rule = country("is", "FR")
    made.save()
    refresh([made.pk])
    return made


@pytest.fixture
def running(french: Segment) -> Campaign:
    campaign = people.campaign(french)
    take_in(campaign)
    return campaign


def loosened(segment: Segment, **more: Any) -> dict[str, Any]:
    """The builder's form that lets everybody in but those of Italy."""
    row = {"node": ["r-0:row"], "r.match": "all", "r-0.field": "country", "r-0.op": "is_not", "r-0.value": "IT"}
    return {"name": segment.name, "description": "", "do": "save", "own": segment.pk, **row, **more}


def edit(client: Client, segment: Segment, **more: Any) -> Any:
    return client.post(f"/segments/{segment.pk}/edit/", loosened(segment, **more))


def test_it_works(french: Segment, running: Campaign, signed_in: SignIn) -> None:
    marketer = signed_in("marketer")
    asked = edit(marketer, french)
    text = asked.content.decode()
    assert asked.status_code == 409
    assert "The running campaign" in text
    assert "9 more would get its e-mail now" in text
    assert 'value="IT"' in text
    french.refresh_from_db()
    assert french.rule == country("is", "FR")
    assert edit(marketer, french, agreed="9").status_code == 302
    sweep_until_idle()
    assert Message.objects.count() == 3 + 9


def test_the_promise_is_what_happens(french: Segment, signed_in: SignIn) -> None:
    """Gates and the control group are in the number."""
    campaign = people.campaign(french, holdout_share=Decimal(40))
    take_in(campaign)
    before = campaign.enrolments.filter(arm=Arm.TREATED).count()
    client = signed_in("marketer")
    (told,) = edit(client, french).context["follows"]
    edit(client, french, agreed=str(told.customers))
    sweep_until_idle()
    assert campaign.enrolments.filter(arm=Arm.TREATED).count() - before == told.customers


@pytest.mark.parametrize("said", ["", "8", "x", "-1"])
def test_less_agreed_than_would_get_it_is_not_agreed(
    french: Segment, running: Campaign, signed_in: SignIn, said: str
) -> None:
    assert edit(signed_in("marketer"), french, agreed=said).status_code == 409


def test_who_may_not_launch_may_not_send_this_way(french: Segment, running: Campaign, signed_in: SignIn) -> None:
    refused = edit(signed_in("account_manager"), french, agreed="9")
    assert refused.status_code == 409
    assert "Your role may not send mail" in refused.content.decode()
    sweep_until_idle()
    assert Message.objects.count() == 3


def test_a_segment_that_stands_on_the_changed_one_counts_too(french: Segment, signed_in: SignIn) -> None:
    inner = Segment.objects.create(
        name="Outer", rule={"all": [{"field": "segment", "op": "is_in", "value": french.pk}]}
    )
    refresh([inner.pk])
    people.campaign(inner)
    (told,) = edit(signed_in("marketer"), french).context["follows"]
    assert (told.name, told.customers) == ("Win back", 9)


def test_a_paused_campaign_says_when(french: Segment, running: Campaign, signed_in: SignIn) -> None:
    pause(running)
    assert "as soon as it goes on" in edit(signed_in("marketer"), french).content.decode()


@pytest.mark.parametrize("state", ["draft", "finished"])
def test_what_sends_nothing_asks_nothing(french: Segment, signed_in: SignIn, state: str) -> None:
    campaign = people.campaign(french, running=state != "draft")
    if state == "finished":
        Campaign.objects.filter(pk=campaign.pk).update(state=state)
    assert edit(signed_in("account_manager"), french).status_code == 302


def test_a_new_name_or_a_tighter_rule_asks_nothing(french: Segment, running: Campaign, signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    for changes in ({"r-0.op": "is", "r-0.value": "FR", "name": "Of France"}, {"r-0.op": "is", "r-0.value": "IT"}):
        assert edit(client, french, **changes).status_code == 302


def test_asking_leaves_no_trace(french: Segment, running: Campaign, signed_in: SignIn) -> None:
    edit(signed_in("marketer"), french)
    refresh([french.pk])
    assert french.memberships.filter(left_at=None).count() == Customer.objects.filter(country="FR").count()


def test_putting_somebody_in_by_hand_asks_too(french: Segment, running: Campaign, signed_in: SignIn) -> None:
    page, said = f"/segments/{french.pk}/by-hand/", {"customer": "c5", "act": "in", "reason": ""}
    asked = signed_in("marketer").post(f"{page}customer/", said)
    assert asked.status_code == 409
    assert "1 more would get its e-mail now" in asked.content.decode()
    file = SimpleUploadedFile("who.csv", b"c5\nc6\nc13\n")
    asked = signed_in("marketer").post(f"{page}file/", {"act": "in", "reason": "", "file": file})
    assert [each.customers for each in asked.context["follows"]] == [2], "c13 has not agreed to mail"
    assert not french.hand_changes.exists()
    assert signed_in("account_manager").post(f"{page}customer/", {**said, "agreed": "1"}).status_code == 409
    assert signed_in("marketer").post(f"{page}customer/", {**said, "agreed": "1"}).status_code == 302
    sweep_until_idle()
    assert Message.objects.count() == 3 + 1


def test_keeping_somebody_out_by_hand_asks_nothing(french: Segment, running: Campaign, signed_in: SignIn) -> None:
    said = {"customer": "c1", "act": "out", "reason": ""}
    assert signed_in("account_manager").post(f"/segments/{french.pk}/by-hand/customer/", said).status_code == 302
