"""How this room's rows go along when two customers are made one (customers/duplicates/moving.py)."""

from collections.abc import Sequence

from django.db import connection

from customers.duplicates.moving import WORDS, Pair, carrier, change, plainly, set_aside, settler
from loyalty.models import Budget

plainly("loyalty.Offer.customer")
WORDS["loyalty.Offer"] = "offers"


@carrier("loyalty.Budget.customer")
def carry_budgets(pair: Pair) -> None:
    """What both were given in a year is spent of the year of whoever stays; it may be beyond what either could be.

    The next grant is held to its own limit: what was given already is not taken back. Where both have a year's budget
    the survivor's stays, and is settled below: it is not kept as it was, since grants may be taken back before the
    merge is.
    """
    both = (
        "EXISTS (SELECT FROM loyalty_budget o"
        " WHERE o.begins = t.begins AND o.currency = t.currency AND o.customer_id = %(survivor)s)"
    )
    set_aside(pair, Budget, f"t.customer_id = %(loser)s AND {both}")
    change(pair, Budget, {"customer_id": "%(survivor)s"}, "t.customer_id = %(loser)s")


@settler
def settle_budgets(customer_ids: Sequence[int]) -> None:
    """What is spent of a customer's year is what was granted to them in it."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"ids": list(customer_ids)})


_SETTLE = """
    INSERT INTO loyalty_budget AS budget (customer_id, begins, currency, spent)
    SELECT customer_id, begins, currency, sum(cost) FROM (
        SELECT customer_id, date_trunc('year', month)::date AS begins, currency, cost FROM loyalty_offer
        WHERE customer_id = ANY(%(ids)s) AND state = 'granted'
        UNION ALL SELECT customer_id, begins, currency, 0 FROM loyalty_budget WHERE customer_id = ANY(%(ids)s)
    ) AS granted GROUP BY customer_id, begins, currency ORDER BY customer_id, begins, currency
    ON CONFLICT (customer_id, begins, currency) WHERE customer_id IS NOT NULL
    DO UPDATE SET spent = EXCLUDED.spent,
        ceiling = CASE WHEN budget.ceiling IS NOT NULL THEN GREATEST(budget.ceiling, EXCLUDED.spent) END
    WHERE budget.spent <> EXCLUDED.spent
"""
