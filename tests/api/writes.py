"""One good request for each operation that writes: what must hold of all of them is tried with these."""

from datetime import timedelta
from typing import Any

from retention.common import clock
from tests.addresses import SAMPLES

NUMBER = int(SAMPLES["int"])
_AGO, _SOON = clock.now() - timedelta(hours=1), clock.now() + timedelta(days=3)
_LATER = (clock.now() + timedelta(days=400)).date()
_TALKED = {"kind": "call", "text": "They are happy.", "happened_at": _AGO.isoformat()}
RULE = {"field": "name", "op": "is", "value": "nobody at all"}
#: By the operation: its address and its body. Done in this order, each works after those before it.
WRITES: dict[str, tuple[str, Any]] = {
    "post_customers": ("customers/", {"name": "Ada", "custom": {"tier": "gold", "seats": 3}}),
    "patch_one_customer": (f"customers/{NUMBER}/", {"name": "Ada King", "custom": {"tier": None}}),
    "post_contacts": (f"customers/{NUMBER}/contacts/", {"name": "Eve", "role": "Buyer", "birthday": "1990-02-03"}),
    "post_contact_consents": (
        f"contacts/{NUMBER}/consents/",
        {"channel": "phone", "state": "granted", "source": "Call", "proof": "Recorded"},
    ),
    "patch_one_contact": (f"contacts/{NUMBER}/", {"role": "Head of finance"}),
    "delete_one_contact": (f"contacts/{NUMBER}/", None),
    "post_interactions": (f"customers/{NUMBER}/interactions/", _TALKED),
    "patch_one_interaction": (f"interactions/{NUMBER}/", {"outcome": "Agreed"}),
    "post_attachments": (
        f"interactions/{NUMBER}/attachments/",
        {"name": "terms.txt", "content": "V2UgYWdyZWU="},
    ),
    "delete_one_interaction": (f"interactions/{NUMBER}/", None),
    "post_customers_cases": (f"customers/{NUMBER}/cases/", {"subject": "Late again", "priority": "high"}),
    "patch_one_case": (f"cases/{NUMBER}/", {"priority": "urgent"}),
    "post_case_acts": (f"cases/{NUMBER}/acts/", {"act": "answer"}),
    "post_customers_tasks": (f"customers/{NUMBER}/tasks/", {"title": "Call", "due": _SOON.date().isoformat()}),
    "post_events": (
        "events/",
        {"events": [{"external_id": "one", "kind": "usage", "key": "u-1", "payload": {"feature": "export"}}]},
    ),
    "post_orders": (
        "orders/",
        {
            "external_id": "shop-900",
            "customer": NUMBER,
            "ordered_at": _AGO.isoformat(),
            "lines": [{"sku": "A-1", "quantity": "2", "unit_price": "4.50"}, {"unit_price": "1"}],
        },
    ),
    "post_segments": (
        "segments/",
        {"name": "Gold", "rule": {"all": [{"field": "custom.tier", "op": "is", "value": "gold"}, RULE]}},
    ),
    "patch_one_segment": (f"segments/{NUMBER}/", {"description": "Whom we call first", "rule": RULE}),
    "post_members": (f"segments/{NUMBER}/members/", {"act": "out", "customers": [NUMBER], "reason": "Asked to be"}),
    "delete_one_segment": (f"segments/{NUMBER + 1}/", None),
    "post_products": ("products/", {"sku": "B-1", "name": "Bell", "price": "9.50", "companions": ["A-1"]}),
    "patch_one_product": (f"products/{NUMBER}/", {"price": "12.00", "currency": "EUR"}),
    "post_subscriptions": (
        f"customers/{NUMBER}/subscriptions/",
        {"plan": "Pro", "amount": "100", "external_id": "b-7"},
    ),
    "post_subscription_change": (f"subscriptions/{NUMBER}/change/", {"quantity": 8}),
    "post_subscription_renewal": (f"subscriptions/{NUMBER}/renewal/", {"day": _LATER.isoformat()}),
    "post_subscription_cancellation": (
        f"subscriptions/{NUMBER}/cancellation/",
        {"day": _SOON.date().isoformat(), "reason": "Too expensive"},
    ),
    "post_subscription_resumption": (f"subscriptions/{NUMBER}/resumption/", {"day": _SOON.date().isoformat()}),
    "post_task_acts": (f"tasks/{NUMBER}/acts/", {"act": "done"}),
}
