"""Customers with all sorts of profiles, in a random world, for rules to pick from."""

from datetime import datetime

from customers.facts import folding
from customers.models import Consent
from retention.workspace.models import User
from tests.customers.facts.world import DAY, World


def populated(seed: int, now: datetime, customers: int = 8, happenings: int = 80) -> World:
    """A world, routed once, in which profiles differ too."""
    world = World(seed, now, customers)
    world.grow(happenings)
    owner, _ = User.objects.get_or_create(email="owner@example.test")
    pick = world.random.choice
    for who in world.customers:
        who.country = pick(["", "France", "Germany"])
        who.email = pick(["", f"{who.external_id}@example.test"])
        who.tags = pick([[], ["vip"], ["vip", "web"]])
        who.owner = pick([None, owner])
        who.attributes = pick([{}, {"size": 12, "plan": "Pro"}, {"size": "3.5"}, {"size": "many", "plan": None}])
        who.joined_at = pick([None, now - world.random.randint(-3, 130) * DAY])
        who.save()
        if pick([True, False]):
            Consent.objects.create(customer=who, channel="email", state=pick(["granted", "withdrawn"]), source="test")
    folding.fold([who.id for who in world.customers])
    return world
