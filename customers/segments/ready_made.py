"""Segments that most companies want, to be made one's own: for the moment, by stage, by value group."""

from dataclasses import dataclass
from typing import Any

from customers.models import Stage
from customers.segments.value import GROUPS


@dataclass(frozen=True)
class ReadyMade:
    name: str
    description: str
    rule: dict[str, Any]


def _one(name: str, description: str, *conditions: tuple[str, str, Any]) -> ReadyMade:
    parts = [{"field": field, "op": op, "value": value} for field, op, value in conditions]
    return ReadyMade(name, description, {"all": parts})


FOR_THE_MOMENT = {
    "lapsing": _one(
        "Lapsing buyers",
        "Two or more orders, and none for 60 days: worth winning back.",
        ("orders", "at_least", 2),
        ("last_order_at", "more_than_days_ago", 60),
    ),
    "detractors": _one(
        "Detractors",
        "Answered 0 to 6 when last asked whether they would recommend you.",
        ("nps_score", "at_most", 6),
    ),
    "renewals": _one(
        "Renewals in 60 days",
        "Subscribers whose contract comes up within 60 days: the time to talk.",
        ("renews_at", "in_next_days", 60),
    ),
    "anniversaries": _one(
        "Anniversaries this week",
        "Customers who joined on one of these days in an earlier year: a reason to say thank you.",
        ("joined_at", "anniversary_within", 6),
    ),
}
_STAGES = {
    Stage.PROSPECT: ("Prospects", "Known, and never bought or subscribed."),
    Stage.NEW: ("New customers", "Bought or subscribed for the first time lately."),
    Stage.ACTIVE: ("Active customers", "Come back as often as can be expected of them."),
    Stage.LOYAL: ("Loyal customers", "Came back many times, or have stayed for long, and still do."),
    Stage.AT_RISK: (
        "At risk",
        "Quieter than they used to be: buyers without an order for twice their usual gap, subscribers who use it less.",
    ),
    Stage.LAPSED: ("Lapsed customers", "Silent for so long that they have probably left."),
    Stage.WON_BACK: ("Won back", "Came back after they had lapsed."),
    Stage.LOST: ("Lost customers", "Gone for so long that few come back."),
}
BY_STAGE = {
    f"stage-{stage.value}": _one(name, about, ("stage", "is", stage.value)) for stage, (name, about) in _STAGES.items()
}
BY_VALUE = {
    f"value-{group.key}": _one(f"Value: {group.label.lower()}", group.about, ("value_group", "is", group.key))
    for group in GROUPS
}
SHELVES = {
    "For the moment": FOR_THE_MOMENT,
    "By lifecycle stage": BY_STAGE,
    "By value (recency and frequency)": BY_VALUE,
}
READY_MADE = {key: offer for shelf in SHELVES.values() for key, offer in shelf.items()}
