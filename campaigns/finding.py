"""What the search over everything finds of this room."""

from campaigns.models import Campaign
from retention.workspace.finding import Find, Typed, finder
from retention.workspace.models import User
from retention.workspace.places import page_of


@finder("Campaigns", 8)
def campaigns(typed: Typed, _person: User) -> list[Find]:
    """By any part of the name. A company has some hundreds: all are read sooner than an index would be asked."""
    found = Campaign.objects.filter(name__icontains=typed.text)[: typed.most + 1]
    return [Find(row.name, row.get_state_display(), page_of("campaigns:detail", row.pk)) for row in found]
