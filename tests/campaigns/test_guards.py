"""What the database itself refuses, with plain SQL and no Python of ours in between."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from campaigns.enrolment import take_in
from campaigns.models import Attempt, Campaign, Enrolment, Message
from retention.common import clock
from tests.campaigns import people

pytestmark = pytest.mark.django_db

ARROWS = {
    "pending": {"claimed", "suppressed", "expired", "cancelled"},
    "claimed": {"pending", "sending", "suppressed", "expired", "cancelled"},
    "sending": {"sent", "failed", "pending", "unknown"},
    "unknown": {"sent", "failed"},
}
ROUTES = {
    "pending": [],
    "claimed": ["claimed"],
    "sending": ["claimed", "sending"],
    "sent": ["claimed", "sending", "sent"],
    "failed": ["claimed", "sending", "failed"],
    "unknown": ["claimed", "sending", "unknown"],
    "suppressed": ["suppressed"],
    "expired": ["expired"],
    "cancelled": ["cancelled"],
}


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def message() -> Message:
    take_in(people.campaign(people.segment(rows=people.customers(1))))
    return Message.objects.get()


@pytest.mark.parametrize("after", Message.State.values)
@pytest.mark.parametrize("before", Message.State.values)
def test_a_message_moves_along_the_arrows_only(message: Message, before: str, after: str) -> None:
    for state in ROUTES[before]:
        sql("UPDATE campaigns_message SET state = %s", state)
    if after in ARROWS.get(before, set()) | {before}:
        sql("UPDATE campaigns_message SET state = %s", after)
    else:
        with pytest.raises(IntegrityError, match=f"cannot go from {before} to {after}"):
            sql("UPDATE campaigns_message SET state = %s", after)


@pytest.mark.parametrize("state", sorted(set(Message.State.values) - {"pending"}))
def test_a_message_begins_as_pending(message: Message, state: str) -> None:
    columns = "enrolment_id, step_id, customer_id, channel, reason, due_at, send_by, attempts, address, created_at"
    with pytest.raises(IntegrityError, match="begins as pending"):
        sql(
            f"INSERT INTO campaigns_message (dedupe_key, state, {columns}) SELECT 'x', %s, {columns} "
            "FROM campaigns_message",
            state,
        )


@pytest.mark.parametrize("change", ["dedupe_key = 'other'", "customer_id = customer_id + 1", "step_id = step_id + 1"])
def test_a_message_stays_the_same_customers(message: Message, change: str) -> None:
    with pytest.raises(IntegrityError, match="stays the same"):
        sql(f"UPDATE campaigns_message SET {change}")


@pytest.mark.parametrize("change", ["arm = 'control'", "occurrence = 0", "entered_at = now()"])
def test_an_enrolment_keeps_its_arm(message: Message, change: str) -> None:
    with pytest.raises(IntegrityError, match="keeps its arm"):
        sql(f"UPDATE campaigns_enrolment SET {change}")
    assert Enrolment.objects.get().arm == "treated"


def test_an_attempt_gets_its_outcome_once(message: Message) -> None:
    Attempt.objects.create(message=message, token=uuid.uuid4(), started_at=clock.now())
    with pytest.raises(IntegrityError):
        sql("UPDATE campaigns_attempt SET started_at = now(), outcome = 'sent'")
    with pytest.raises(IntegrityError):
        sql("UPDATE campaigns_attempt SET reply = 'no outcome'")
    sql("UPDATE campaigns_attempt SET outcome = 'sent', ended_at = now()")
    with pytest.raises(IntegrityError):
        sql("UPDATE campaigns_attempt SET outcome = 'failed'")
    with pytest.raises(IntegrityError):
        sql("DELETE FROM campaigns_attempt")


def test_a_launched_campaign_keeps_what_it_was_launched_with(message: Message) -> None:
    terms = ("holdout_share = 50", "goal_days = 1", "rest_days = 0", "take_present = false", "state = 'draft'")
    for change in (*terms, "spare_controls = false", "again_days = NULL"):
        with pytest.raises(IntegrityError):
            sql(f"UPDATE campaigns_campaign SET {change}")
    with pytest.raises(IntegrityError):
        sql("UPDATE campaigns_emailstep SET body = 'other'")
    sql("UPDATE campaigns_campaign SET state = 'paused'")
    sql("UPDATE campaigns_campaign SET state = 'finished', finished_at = now()")
    with pytest.raises(IntegrityError):
        sql("UPDATE campaigns_campaign SET state = 'running'")


def test_a_draft_can_change_freely() -> None:
    draft = people.campaign(people.segment(), running=False)
    sql("UPDATE campaigns_campaign SET holdout_share = 50")
    sql("UPDATE campaigns_emailstep SET body = 'other'")
    draft.steps.all().delete()
    draft.delete()
    assert not Campaign.objects.exists()


def test_the_same_message_is_kept_once(message: Message) -> None:
    with pytest.raises(IntegrityError, match="message_once"):
        Message.objects.create(
            dedupe_key=message.dedupe_key,
            enrolment=message.enrolment,
            step=message.step,
            customer=message.customer,
            due_at=clock.now(),
            send_by=clock.now() + timedelta(days=1),
        )
