"""What segments can ask about campaigns. Entering one, meeting its goal, and all that becomes of a message that left
or failed each record an event."""

from campaigns.models import Arm, Message
from customers.segments import catalogue
from customers.segments.counting import choice, count, instant, text, yes_no
from customers.segments.fields import Related
from customers.segments.operators import Sql

_ENROLMENTS = Related(
    "campaigns_enrolment r",
    "r.entered_at",
    (
        text("campaign", "Campaign", "(SELECT one.name FROM campaigns_campaign one WHERE one.id = r.campaign_id)"),
        choice("arm", "Arm", "r.arm", tuple(Arm.choices)),
        yes_no("met", "Met its goal", "r.goal_met_at IS NOT NULL"),
        instant("goal_met_at", "Goal met", "r.goal_met_at"),
        instant("at", "Entered", "r.entered_at"),
    ),
)

_STEP = """(SELECT {} FROM campaigns_emailstep step JOIN campaigns_campaign one ON one.id = step.campaign_id
    WHERE step.id = r.step_id)"""
_BOUNCED = """EXISTS (SELECT FROM customers_event back WHERE back.customer_id = r.customer_id
    AND back.kind = 'message.bounced' AND back.dedup_key = 'message:' || r.id)"""
_STATES = (Message.State.SENT, Message.State.FAILED)
_MESSAGES = Related(
    "campaigns_message r",
    "r.settled_at",
    (
        text("campaign", "Campaign", _STEP.format("one.name")),
        text("subject", "Subject", _STEP.format("step.subject")),
        choice("state", "State", "r.state", tuple((str(state), str(state.label)) for state in _STATES)),
        yes_no("opened", "Was opened", "r.opened_at IS NOT NULL"),
        yes_no("clicked", "A link was followed", "r.clicked_at IS NOT NULL"),
        yes_no("bounced", "Came back", _BOUNCED),
        instant("opened_at", "Opened", "r.opened_at"),
        instant("clicked_at", "A link followed", "r.clicked_at"),
        instant("at", "Sent or failed", "r.settled_at"),
    ),
    always=Sql("r.state IN ('sent', 'failed')"),
    unless_asked=(("state", Sql("r.state = 'sent'")),),
)

catalogue.add(
    count("campaign_count", "Campaigns entered", "Messages", _ENROLMENTS),
    count("message_count", "Messages sent by campaigns", "Messages", _MESSAGES),
)
