"""Everything about one customer that their page shows at once: a fixed number of queries, however much there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from customers.custom import values
from customers.facts import stages
from customers.facts.stages import Why
from customers.models import Consent, Customer, CustomerFacts, CustomField, Order, OrderLine
from retention.common import planned

ORDERS = 10
LINES = 20

# Written by hand: to have these few put together for each page takes longer than to ask them.
_CUSTOMER = """
    SELECT customer.*, team.name AS team_name,
           COALESCE(NULLIF(btrim(owner.first_name || ' ' || owner.last_name), ''), owner.email) AS owner_name
    FROM customers_customer customer
    LEFT JOIN workspace_user owner ON owner.id = customer.owner_id
    LEFT JOIN customers_team team ON team.id = customer.team_id
    WHERE customer.id = %s
"""
_FACTS = "SELECT * FROM customers_customerfacts WHERE customer_id = %s"
_BESIDE = f"""
    SELECT (SELECT json_agg(json_build_object('state', state, 'source', source, 'changed_at', changed_at)
                            ORDER BY channel)
            FROM customers_consent WHERE customer_id = %(customer)s),
           (SELECT json_agg(json_build_object('key', key, 'label', label, 'type', type, 'archived_at', archived_at)
                            ORDER BY position, id)
            FROM customers_customfield WHERE about = '{CustomField.About.CUSTOMER}'),
           why.*
    FROM (SELECT) AS once
    LEFT JOIN ({stages.reasons("(SELECT * FROM customers_customerfacts WHERE customer_id = %(customer)s) AS facts")}
              ) AS why ON TRUE
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Profile:
    """`facts` is None for a customer too new to have any, and `why`, of their stage, with them.

    `custom` is what is known of custom fields; `loose` what files brought under names nobody defined. The customer has
    the names of owner and team as `owner_name` and `team_name`.
    """

    customer: Customer
    facts: CustomerFacts | None
    why: Why | None
    consents: Sequence[Consent]
    custom: Sequence[values.Told]
    loose: dict[str, Any]


def profile(pk: int, currency: str, now: datetime, window: timedelta) -> Profile:
    """As of now, by the workspace's currency and activity window. Raises Customer.DoesNotExist."""
    customer = next(iter(Customer.objects.raw(_CUSTOMER, [pk])), None)
    if customer is None:
        raise Customer.DoesNotExist
    facts = next(iter(CustomerFacts.objects.raw(_FACTS, [pk])), None)
    ((consents, fields, *why),) = planned.rows(_BESIDE, {"customer": pk, "now": now, "window": window})
    defined = [CustomField(**field) for field in fields or []]
    return Profile(
        customer=customer,
        facts=facts,
        why=Why(*why) if facts else None,
        consents=[_consent(**each) for each in consents or []],
        custom=values.told([each for each in defined if not each.archived_at], customer.attributes, currency),
        loose=values.loose((field.key for field in defined), customer.attributes),
    )


def _consent(changed_at: str, **said: str) -> Consent:
    return Consent(changed_at=datetime.fromisoformat(changed_at), **said)


def latest_orders(customer: Customer) -> list[Order]:
    """With the first of their lines, as `first_lines`. Two queries."""
    orders = list(customer.orders.order_by("-ordered_at", "-pk")[:ORDERS])
    # The first lines of each order: one with thousands must not fill the page.
    lines = Prefetch("lines", OrderLine.objects.order_by("position")[:LINES], to_attr="first_lines")
    prefetch_related_objects(orders, lines)
    return orders
