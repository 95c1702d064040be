"""The first step of this room."""

from campaigns.models import Campaign
from retention.workspace.checklist import Step, add

add(
    Step(
        3,
        "Switch on a campaign",
        "A win-back e-mail is ready for your own words. A few customers are held out, so that you see what it changed.",
        "Make a campaign",
        "campaigns:new",
        Campaign.objects.exclude(state=Campaign.State.DRAFT).exists,
    )
)
