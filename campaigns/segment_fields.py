"""What segments can ask about campaigns. Entering one and meeting its goal each record an event."""

from campaigns.models import Arm
from customers.segments import catalogue
from customers.segments.counting import choice, count, instant, text, yes_no
from customers.segments.fields import Related

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

catalogue.add(count("campaign_count", "Campaigns entered", "Messages", _ENROLMENTS))
