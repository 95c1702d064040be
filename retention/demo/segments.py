"""The saved segments a workspace like this would have."""

from typing import Any

from customers.models import Segment
from retention.workspace.models import User

LAPSING = "Lapsing: two or more orders, none for 60 days"
SEGMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    LAPSING: (
        "They know us and have gone quiet. The win-back campaign works on them.",
        {
            "all": [
                {"field": "orders", "op": "at_least", "value": 2},
                {"field": "last_order_at", "op": "more_than_days_ago", "value": 60},
            ]
        },
    ),
    "Subscribers who use it much less": (
        "Usage fell by 40 % or more in a month: this comes before leaving.",
        {
            "all": [
                {"field": "mrr", "op": "more_than", "value": 0},
                {"field": "usage_change", "op": "at_most", "value": -40},
            ]
        },
    ),
    "Renewing within 60 days": (
        "Quarterly and yearly contracts worth a word in time.",
        {
            "all": [
                {"field": "mrr", "op": "at_least", "value": 50},
                {"field": "renews_at", "op": "in_next_days", "value": 60},
            ]
        },
    ),
    "Detractors": ("Gave 0 to 6 when asked last.", {"field": "nps_score", "op": "at_most", "value": 6}),
    "Promoters who order": (
        "Gave 9 or 10 and ordered within 90 days: the ones to ask for a recommendation.",
        {
            "all": [
                {"field": "nps_score", "op": "at_least", "value": 9},
                {"field": "last_order_at", "op": "within_days", "value": 90},
            ]
        },
    ),
    "One order and no second": (
        "Ordered once, 30 days ago or longer.",
        {
            "all": [
                {"field": "orders", "op": "equals", "value": 1},
                {"field": "last_order_at", "op": "more_than_days_ago", "value": 30},
            ]
        },
    ),
}


def save(by: User) -> Segment:
    """Save them all; gives the one that the win-back campaign works on."""
    Segment.objects.bulk_create(
        Segment(name=name, description=description, rule=rule, created_by=by)
        for name, (description, rule) in SEGMENTS.items()
    )
    return Segment.objects.get(name=LAPSING)
