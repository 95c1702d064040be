"""Segments that most companies want, offered where there are none yet."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ReadyMade:
    name: str
    description: str
    rule: dict[str, Any]


READY_MADE = {
    "lapsing": ReadyMade(
        "Lapsing buyers",
        "Two or more orders, and none for 60 days: worth winning back.",
        {
            "all": [
                {"field": "orders", "op": "at_least", "value": 2},
                {"field": "last_order_at", "op": "more_than_days_ago", "value": 60},
            ]
        },
    ),
    "at-risk": ReadyMade(
        "At risk",
        "Quieter than they used to be: buyers without an order for twice their usual gap, subscribers who use it less.",
        {"all": [{"field": "stage", "op": "is", "value": "at_risk"}]},
    ),
    "detractors": ReadyMade(
        "Detractors",
        "Answered 0 to 6 when last asked whether they would recommend you.",
        {"all": [{"field": "nps_score", "op": "at_most", "value": 6}]},
    ),
    "renewals": ReadyMade(
        "Renewals in 60 days",
        "Subscribers whose contract comes up within 60 days: the time to talk.",
        {"all": [{"field": "renews_at", "op": "in_next_days", "value": 60}]},
    ),
}
