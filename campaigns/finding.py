"""What the search over everything finds of this room."""

from functools import cache

from campaigns.models import Campaign
from retention.common.asking import Asking, Given, Kept, kept
from retention.workspace.finding import Find, Typed, finder
from retention.workspace.models import User
from retention.workspace.places import page_of


@finder("Campaigns", 8)
def campaigns(typed: Typed, _person: User) -> Asking[list[Find]]:
    """By any part of the name. A company has some hundreds: all are read sooner than an index would be asked."""
    (rows,) = yield [_campaigns(typed.most + 1).asked(text=typed.text)]
    states = dict(Campaign.State.choices)
    return [Find(row["name"], states[row["state"]], page_of("campaigns:detail", row["id"])) for row in rows]


@cache
def _campaigns(most: int) -> Kept:
    return kept(Campaign.objects.filter(name__icontains=Given("text")).values("id", "name", "state")[:most])
