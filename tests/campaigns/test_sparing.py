"""A control group is left alone by other campaigns until it is judged, and who may enter a campaign again."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from campaigns import enrolment
from campaigns.delivery import departure
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Arm, Campaign, Enrolment, Message, Refusal
from campaigns.reasons import visits
from campaigns.rehearsal import Overlap, rehearse
from campaigns.sparing import HELD_OUT_BY
from customers.models import Customer
from retention.common import clock
from tests.campaigns import people

pytestmark = pytest.mark.django_db
HALF = Decimal(50)


@pytest.fixture(autouse=True)
def outbox(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_URL, settings.OUTBOX_DIR = "", tmp_path


@pytest.fixture
def rows() -> list[Customer]:
    return people.customers(40)


@pytest.fixture
def first(rows: list[Customer]) -> Campaign:
    """Running, with about half of everybody held out."""
    campaign = people.campaign(people.segment("One", rows), name="First", holdout_share=HALF)
    take_in(campaign)
    return campaign


def second(rows: list[Customer], **fields: Any) -> Campaign:
    return people.campaign(people.segment("Two", rows), name="Second", rest_days=0, **fields)


def controls(campaign: Campaign) -> set[int]:
    return set(campaign.enrolments.filter(arm=Arm.CONTROL).values_list("customer", flat=True))


def written_to(campaign: Campaign) -> set[int]:
    sent = Message.objects.filter(step__campaign=campaign, state=Message.State.SENT)
    return set(sent.values_list("customer", flat=True))


def controls_that_get_mail(first: Campaign, rows: list[Customer]) -> set[int]:
    """Launch a second campaign to the same customers, and let everything go."""
    other = second(rows)
    take_in(other)
    deliver(10)
    return controls(first) & written_to(other)


def test_it_works(first: Campaign, rows: list[Customer]) -> None:
    assert controls(first)
    assert controls_that_get_mail(first, rows) == set()
    refused = Refusal.objects.filter(campaign__name="Second", gate="not_held_out")
    assert set(refused.values_list("customer", flat=True)) == controls(first)


def test_the_planted_bug_is_found(first: Campaign, rows: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    """The bug that the test above is there for: nobody asks whether another campaign holds them out."""
    monkeypatch.setattr(enrolment, "_ENROL", enrolment._ENROL.replace(HELD_OUT_BY, "NULL::text"))
    monkeypatch.setattr(departure, "_DEPART", departure._DEPART.replace(HELD_OUT_BY, "NULL::text"))
    assert controls_that_get_mail(first, rows) == controls(first)


def waiting_when_held_out(rows: list[Customer]) -> set[int]:
    """A message waits for each; then another campaign holds half of them out; those who get the message."""
    take_in(waits := second(rows))
    held = people.campaign(people.segment("One", rows), name="First", holdout_share=HALF, rest_days=0)
    take_in(held)
    deliver(10)
    return controls(held) & written_to(waits)


def test_a_message_that_waits_is_not_sent_to_a_control_either(rows: list[Customer]) -> None:
    assert waiting_when_held_out(rows) == set()
    stopped = Message.objects.filter(state=Message.State.SUPPRESSED)
    assert set(stopped.values_list("customer", flat=True)) == controls(Campaign.objects.get(name="First"))
    assert set(stopped.values_list("reason", flat=True)) == {
        "Held out as control by “First”, which has not judged them yet."
    }


def test_the_same_bug_at_the_last_step_is_found(rows: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departure, "_DEPART", departure._DEPART.replace(HELD_OUT_BY, "NULL::text"))
    assert waiting_when_held_out(rows) == controls(Campaign.objects.get(name="First"))


def test_the_rehearsal_names_the_campaign_and_how_many(first: Campaign, rows: list[Customer]) -> None:
    held = len(controls(first))
    other = second(rows, running=False)
    dry = rehearse(other)
    assert dry.overlaps == [Overlap("First", spared=held, written_to=0)]
    assert [(each.gate.name, each.customers) for each in dry.blocked] == [("not_held_out", held)]
    assert dry.treated == len(rows) - held


def test_writing_to_controls_takes_a_decision_and_is_told(first: Campaign, rows: list[Customer]) -> None:
    held = len(controls(first))
    other = second(rows, running=False, spare_controls=False)
    assert rehearse(other).overlaps == [Overlap("First", spared=0, written_to=held)]
    Campaign.objects.filter(pk=other.pk).update(state="running", launched_at=clock.now())
    assert take_in(Campaign.objects.get(pk=other.pk)).treated == len(rows)
    deliver(10)
    assert written_to(other) >= controls(first)


def test_why_not_says_who_holds_them_out(first: Campaign, rows: list[Customer]) -> None:
    other = second(rows)
    take_in(other)
    (visit,) = visits(min(controls(first)), other)
    assert visit.headline == (
        "Was not taken in. Another campaign holds them out as control, and has not judged them yet."
    )
    (failed,) = (finding for finding in visit.findings if not finding.passed)
    assert (failed.title, failed.found) == ("Not held out by another campaign", "First")


def test_whoever_is_judged_is_free_again(
    first: Campaign, rows: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=first.goal_days))
    assert take_in(second(rows)).treated == len(rows)


@pytest.mark.parametrize(("entered", "refused"), [((60, 3), 0), ((3,), 1)])
def test_a_second_entry_is_not_judged_and_keeps_nobody_out(entered: tuple[int, ...], refused: int) -> None:
    """Entries are not customers: the effect takes each customer's first."""
    rows = people.customers(1)
    first = people.campaign(people.segment("One"), name="First", holdout_share=HALF)
    for days_ago in entered:
        enter(first, rows[0], Arm.CONTROL, days_ago)
    assert take_in(second(rows)).refused == refused


def enter(campaign: Campaign, customer: Customer, arm: Arm, days_ago: int) -> None:
    """An entry of so many days ago that is over."""
    at = clock.now() - timedelta(days=days_ago)
    Enrolment.objects.create(
        campaign=campaign, customer=customer, occurrence=days_ago, arm=arm, gates=[], entered_at=at, left_at=at
    )


def again(campaign: Campaign, customer: Customer, days: int) -> str:
    """The gate that stops a customer who entered so many days ago, has left, and comes up now; empty: none."""
    enter(campaign, customer, Arm.TREATED, days)
    take_in(campaign)
    return ", ".join(campaign.refusals.values_list("gate", flat=True))


@pytest.mark.parametrize(
    ("after", "days", "stopped"), [(90, 89, True), (90, 91, False), (0, 0, False), (None, 4_000, True)]
)
def test_who_may_enter_again(after: int | None, days: int, stopped: bool) -> None:
    rows = people.customers(1)
    campaign = people.campaign(people.segment(rows=rows), again_days=after)
    assert again(campaign, rows[0], days) == ("may_return" if stopped else "")


def test_a_new_campaign_writes_to_nobody_twice_within_a_season() -> None:
    assert Campaign().again_days == 90
    assert Campaign().spare_controls
