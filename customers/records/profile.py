"""Everything about one customer that their page shows at once: a fixed number of queries, however much there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from customers.custom import values
from customers.facts import stages
from customers.facts.stages import Why
from customers.models import Consent, Customer, CustomerFacts, CustomField, Order, OrderLine
from retention.common import planned
from retention.workspace.templatetags.shell import money

ORDERS = 10
LINES = 20

# By hand and at once: to put questions together, and to ask one after the other, takes longer than to answer them.
_CUSTOMER = f"""
    SELECT {planned.columns(Customer, "customer")}, {planned.columns(CustomerFacts, "f")}, team.name AS team_name,
           COALESCE(NULLIF(btrim(owner.first_name || ' ' || owner.last_name), ''), owner.email) AS owner_name,
           (SELECT json_agg(json_build_object('channel', channel, 'state', state, 'source', source,
                                              'changed_at', changed_at) ORDER BY channel)
            FROM customers_consent WHERE customer_id = customer.id) AS agreed,
           (SELECT json_agg(json_build_object('key', key, 'label', label, 'type', type, 'archived_at', archived_at)
                            ORDER BY position, id)
            FROM customers_customfield WHERE about = '{CustomField.About.CUSTOMER}') AS defined,
           (SELECT json_object_agg(currency, mrr)
            FROM (SELECT currency, sum(mrr)::text AS mrr FROM customers_subscriptionterm
                  WHERE customer_id = customer.id AND currency <> %(currency)s
                    AND valid_from <= %(now)s AND COALESCE(valid_to > %(now)s, TRUE)
                  GROUP BY currency ORDER BY currency) AS elsewhere) AS mrr_elsewhere,
           reason.why, reason.gap, reason.measure
    FROM customers_customer customer
    LEFT JOIN workspace_user owner ON owner.id = customer.owner_id
    LEFT JOIN customers_team team ON team.id = customer.team_id
    LEFT JOIN customers_customerfacts f ON f.customer_id = customer.id
    LEFT JOIN LATERAL ({stages.reasons("(SELECT f.*) AS facts")}) AS reason ON TRUE
    WHERE customer.id = %(customer)s
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Profile:
    """`facts` is None for a customer too new to have any, and `why`, of their stage, with them.

    `custom` is what is known of custom fields; `loose` what files brought under names nobody defined. The customer has
    the names of owner and team as `owner_name` and `team_name`. `mrr_elsewhere`: what they pay in other currencies than
    the workspace's, which is in no sum.
    """

    customer: Customer
    facts: CustomerFacts | None
    why: Why | None
    consents: Sequence[Consent]
    custom: Sequence[values.Told]
    loose: dict[str, Any]
    mrr_elsewhere: str


def profile(pk: int, currency: str, now: datetime, window: timedelta) -> Profile:
    """As of now, by the workspace's currency and activity window. Raises Customer.DoesNotExist."""
    asked = {"customer": pk, "currency": currency, "now": now, "window": window}
    found = planned.named(_CUSTOMER, asked)
    if not found:
        raise Customer.DoesNotExist
    facts = planned.part(CustomerFacts, found[0])
    customer: Any = planned.instance(Customer, found[0])
    defined = [CustomField(**field) for field in customer.defined or []]
    return Profile(
        customer=customer,
        facts=facts if facts.pk else None,
        why=Why(customer.why, customer.gap, customer.measure) if facts.pk else None,
        consents=[_consent(**each) for each in customer.agreed or []],
        custom=values.told([each for each in defined if not each.archived_at], customer.attributes, currency),
        loose=values.loose((field.key for field in defined), customer.attributes),
        mrr_elsewhere=_amounts(customer.mrr_elsewhere or {}),
    )


def _amounts(by_currency: dict[str, str]) -> str:
    return " and ".join(money(Decimal(amount), currency) for currency, amount in by_currency.items())


def _consent(changed_at: str, **said: str) -> Consent:
    return Consent(changed_at=datetime.fromisoformat(changed_at), **said)


def latest_orders(customer: Customer) -> list[Order]:
    """With the first of their lines, as `first_lines`. Two queries."""
    orders = list(customer.orders.order_by("-ordered_at", "-pk")[:ORDERS])
    # The first lines of each order: one with thousands must not fill the page.
    lines = Prefetch("lines", OrderLine.objects.order_by("position")[:LINES], to_attr="first_lines")
    prefetch_related_objects(orders, lines)
    return orders
