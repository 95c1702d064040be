"""The first step of this room."""

from campaigns.models import Campaign
from retention.workspace.checklist import Step, add

add(
    Step(
        3,
        "Switch on a campaign",
        "Write to them once they fall quiet. Some are left alone, so that you see what the campaign changed.",
        "Make a campaign",
        "campaigns:new",
        Campaign.objects.filter(launched_at__isnull=False).exists,
    )
)
