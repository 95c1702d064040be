"""What the search over everything finds of this room."""

from campaigns.models import Campaign
from retention.workspace.finding import MOST, Find, finder
from retention.workspace.models import User
from retention.workspace.places import page_of


@finder("Campaigns", 3)
def campaigns(typed: str, _person: User) -> list[Find]:
    found = Campaign.objects.filter(name__icontains=typed)[:MOST]
    return [Find(row.name, row.get_state_display(), page_of("campaigns:detail", row.pk)) for row in found]
