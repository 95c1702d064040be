"""Customers with all sorts of profiles, in a random world, for rules to pick from."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from customers.facts import folding
from customers.models import Consent, CustomField, Event, Order, Product, Team
from customers.segments import value
from customers.segments.operators import Moment
from retention.workspace.models import User
from tests.customers.facts.world import DAY, World
from tests.customers.segments.belongings import give

CHOICES = {"choice": ["gold", "silver"], "choices": ["north", "south", "east"]}


def custom_fields() -> list[CustomField]:
    """A field of each type, its key "own_" and the type; not stored."""
    return [
        CustomField(key=f"own_{kind}", label=f"Own {kind}", type=kind, choices=CHOICES.get(kind, []))
        for kind in CustomField.Type.values
    ]


def custom_values(random: Random, today: date) -> dict[str, Any]:
    """Values of some of the custom fields."""
    known = {
        "own_text": random.choice(["Customer 1", "12", "france"]),
        "own_long_text": random.choice(["cust\nome", "France"]),
        "own_number": random.choice([-2, 0, 3.5, 12]),
        "own_money": random.choice([0, 9.99, 20]),
        "own_date": (today + timedelta(days=random.randint(-122, 122))).isoformat(),
        "own_yes_no": random.choice([True, False]),
        "own_choice": random.choice(["gold", "silver"]),
        "own_choices": random.sample(["north", "south", "east"], random.randint(1, 3)),
        "own_link": "https://example.test/france",
    }
    return {key: value for key, value in known.items() if random.random() < 0.7}


def said(random: Random, now: datetime) -> dict[str, Any]:
    """What a file may have brought: days, instants, yes and no."""
    at = now - random.randint(-3, 40) * DAY
    days = [at.date().isoformat(), at.isoformat(), "2026-02-30", "2026-02-30T12:00", "1999-05-14 23:30"]
    known = {"day": random.choice(days), "flag": random.choice([True, False, "Yes", "no", "perhaps"])}
    return {key: value for key, value in known.items() if random.random() < 0.7}


def populated(seed: int, now: datetime, customers: int = 8, happenings: int = 80) -> World:
    """A world, routed once, in which profiles differ too."""
    world = World(seed, now, customers)
    world.grow(happenings)
    team, _ = Team.objects.get_or_create(name="France")
    owner, _ = User.objects.get_or_create(email="owner@example.test")
    pick = world.random.choice
    more = Random(seed)  # apart, so that the world of a seed stays as it is
    own = more.choice
    CustomField.objects.bulk_create(custom_fields(), ignore_conflicts=True)
    for who in world.customers:
        who.country = pick(["", "France", "Germany"])
        who.email = pick(["", f"{who.external_id}@example.test"])
        who.is_key_account, who.persona, who.team = own([True, False]), own(["", "vip"]), own([None, team])
        who.tags = pick([[], ["vip"], ["vip", "web"]])
        who.owner = pick([None, owner])
        who.attributes = pick([{}, {"size": 12, "plan": "Pro"}, {"size": "3.5"}, {"size": "many", "plan": None}])
        who.attributes |= custom_values(more, now.date()) | said(more, now)
        who.time_zone = own(["", "", "Asia/Tokyo", "America/Los_Angeles", "no/zone"])
        who.joined_at = pick([None, now - world.random.randint(-3, 130) * DAY])
        who.save()
        give(more, who, now)
        if pick([True, False]):
            Consent.objects.create(customer=who, channel="email", state=pick(["granted", "withdrawn"]), source="test")
        if own([True, False]):
            Consent.objects.create(customer=who, channel="sms", state=own(["granted", "withdrawn"]), source="test")
    Product.objects.get_or_create(sku="A1", defaults={"name": "Tea", "category": "Tea"})
    Product.objects.get_or_create(sku="A2", defaults={"name": "Green tea"})
    for order in Order.objects.order_by("id"):
        _buy(order, world)
    opened = list(Event.objects.filter(kind="message.opened").order_by("id"))
    Event.objects.filter(kind="message.opened").delete()  # an event stays what it was
    for event in opened:
        event.payload = pick([{}, {"machine": "scanner"}, {"plan": "Pro"}])
    Event.objects.bulk_create(opened)
    folding.fold([who.id for who in world.customers])
    value.take(Moment(now, UTC))
    return world


def _buy(order: Order, world: World) -> None:
    """None, one or two lines of an order."""
    pick = world.random.choice
    for position in range(pick([0, 1, 2])):
        sku, name = pick([("A1", "Tea"), ("A2", "Green tea"), ("", "Cup")])
        quantity, price = pick([1, 2, 10]), pick([5, 20])
        order.lines.create(position=position, sku=sku, description=name, quantity=quantity, unit_price=price)
