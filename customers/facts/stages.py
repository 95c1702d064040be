"""Lifecycle stages: the rules, in one table, and the history of who moved when.

The stage is a function of a customer's facts, the instant and the workspace's activity window W; it remembers nothing.
So folding from nothing gives the stage that folding step by step gave. The rules are tried from the top and the first
that applies is the stage; the last of each basis always applies, so that everybody is in exactly one.

docs/lifecycle.md prints this table for people; a test keeps the two equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from customers.facts.those import each
from customers.models import Stage

# Thresholds. A gap is the mean number of days between a customer's order days.
ORDERS_FOR_OWN_GAP = 3
#: The gap expected of a customer is their own, kept within these shares of W; W/3 where they have ordered too seldom.
GAP_FLOOR, GAP_DEFAULT, GAP_CEILING = 1 / 6, 1 / 3, 1
#: A buyer is at risk, has lapsed, is lost after so many expected gaps without an order.
AT_RISK_GAPS, LAPSED_GAPS, LOST_GAPS = 2, 3, 12
#: A subscriber who left is lost after so many W.
LOST_WINDOWS = 4
NEW_ORDERS = 2
LOYAL_ORDERS = 4
LOYAL_SUBSCRIPTION = timedelta(days=365)
#: Usage has fallen when it is at most this share of the 30 days before, and there was enough of it then to tell.
FALLEN_USAGE_SHARE, USAGE_TO_TELL = 0.6, 10
#: A shorter break between two subscriptions is a change of plan.
SUBSCRIPTION_BREAK = timedelta(days=7)


@dataclass(frozen=True)
class Rule:
    """`when` says it in words; `sql` is the same over the columns of `FACTS_WITH_INSTANTS`."""

    stage: Stage
    when: str
    sql: str


@dataclass(frozen=True)
class Basis:
    """How a group of customers is judged."""

    name: str
    who: str
    sql: str
    rules: tuple[Rule, ...]


BASES: tuple[Basis, ...] = (
    Basis(
        "Subscribers",
        "a subscription is in force",
        "subscribed_at IS NOT NULL AND churned_at IS NULL",
        (
            Rule(
                Stage.AT_RISK,
                "used it 40 % less in the last 30 days than in the 30 before, when they used it at least 10 times",
                f"usage_prior_30d >= {USAGE_TO_TELL} AND usage_30d <= {FALLEN_USAGE_SHARE} * usage_prior_30d",
            ),
            Rule(Stage.WON_BACK, "came back after a break of a week or more, less than W ago", "now < won_back_until"),
            Rule(Stage.NEW, "first subscribed less than W ago", "now < new_subscriber_until"),
            Rule(Stage.LOYAL, "first subscribed at least 365 days ago", "now >= loyal_subscriber_from"),
            Rule(Stage.ACTIVE, "otherwise", "TRUE"),
        ),
    ),
    Basis(
        "Former subscribers",
        "no subscription is in force, and none of their orders is later than the end of the last one",
        "churned_at >= COALESCE(last_order_at, churned_at)",
        (
            Rule(Stage.LOST, "the subscription ended at least 4 W ago", "now >= former_subscriber_lost_from"),
            Rule(Stage.LAPSED, "otherwise", "TRUE"),
        ),
    ),
    Basis(
        "Buyers",
        "they have ordered",
        "last_order_at IS NOT NULL",
        (
            Rule(Stage.LOST, "no order for 12 expected gaps", "now >= buyer_lost_from"),
            Rule(Stage.LAPSED, "no order for 3 expected gaps", "now >= buyer_lapsed_from"),
            Rule(Stage.AT_RISK, "no order for 2 expected gaps", "now >= buyer_at_risk_from"),
            Rule(Stage.WON_BACK, "ordered again after W without an order, less than W ago", "now < won_back_until"),
            Rule(
                Stage.NEW,
                "at most 2 orders, the first of them less than W ago",
                f"orders <= {NEW_ORDERS} AND now < new_buyer_until",
            ),
            Rule(Stage.LOYAL, "4 or more orders in the last 365 days", f"orders_365d >= {LOYAL_ORDERS}"),
            Rule(Stage.ACTIVE, "otherwise", "TRUE"),
        ),
    ),
    Basis("Others", "none of these", "TRUE", (Rule(Stage.PROSPECT, "always", "TRUE"),)),
)

#: The instants at which time alone moves somebody, by the names the rules use; each over the columns of facts.
INSTANTS: dict[str, str] = {
    "won_back_until": "returned_at + w",
    "new_subscriber_until": "subscribed_at + w",
    "loyal_subscriber_from": f"subscribed_at + interval '{LOYAL_SUBSCRIPTION.days} days'",
    "former_subscriber_lost_from": f"churned_at + {LOST_WINDOWS} * w",
    "buyer_at_risk_from": f"last_order_at + {AT_RISK_GAPS} * gap",
    "buyer_lapsed_from": f"last_order_at + {LAPSED_GAPS} * gap",
    "buyer_lost_from": f"last_order_at + {LOST_GAPS} * gap",
    "new_buyer_until": "first_order_at + w",
}
EXPECTED_GAP = f"""
    CASE WHEN orders >= {ORDERS_FOR_OWN_GAP} AND order_gap_days IS NOT NULL
         THEN LEAST(GREATEST(order_gap_days * interval '1 day', {GAP_FLOOR} * w), {GAP_CEILING} * w)
         ELSE {GAP_DEFAULT} * w END
"""


def _case() -> str:
    """The table as one SQL expression."""
    arms = (f"WHEN ({basis.sql}) AND ({rule.sql}) THEN '{rule.stage.value}'" for basis in BASES for rule in basis.rules)
    return "CASE " + " ".join(arms) + " END"


def judged(facts: str) -> str:
    """SQL over a relation of facts: its columns, `stage`, and `stage_edge_at`, when time alone next may move it.

    Takes the parameters `now` (an instant) and `window` (W, an interval).
    """
    edges = ", ".join(f"CASE WHEN {name} > now THEN {name} END" for name in INSTANTS)
    return f"SELECT *, {_case()} AS stage, LEAST({edges}) AS stage_edge_at FROM {_with_instants(facts)}"  # noqa: S608


def reasons(facts: str) -> str:
    """SQL over a relation of facts: `why`, the words of the rule that applies, `gap`, the expected one, and `measure`.

    Takes the same parameters.
    """
    rules = [(f"WHEN ({basis.sql}) AND ({rule.sql}) THEN ", basis, rule) for basis in BASES for rule in basis.rules]
    words = " ".join(f"{when}'{_quoted(basis, rule)}'" for when, basis, rule in rules)
    measures = " ".join(f"{when}'{measure(rule)}'" for when, _, rule in rules)
    return f"SELECT CASE {words} END AS why, gap, CASE {measures} END AS measure FROM {_with_instants(facts)}"  # noqa: S608 - constants of this module


def measure(rule: Rule) -> str:
    """What the rule's time is counted in: "gap", "window", or "" where neither has a part in it."""
    used = " ".join(sql for name, sql in INSTANTS.items() if name in rule.sql).split()
    return "gap" if "gap" in used else "window" if "w" in used else ""


def _quoted(basis: Basis, rule: Rule) -> str:
    """The rule in words: where it is what remains, whom it remains of."""
    words = rule.when if rule.sql != "TRUE" else f"{basis.who}, and nothing more particular holds"
    words = words.replace("4 W", "4 activity windows").replace("W", "one activity window")
    return words.replace("'", "''").replace("%", "%%")


def _with_instants(facts: str) -> str:
    instants = ", ".join(f"{sql} AS {name}" for name, sql in INSTANTS.items())
    return f"""
        (SELECT *, {instants}
              FROM (SELECT *, {EXPECTED_GAP} AS gap
                    FROM (SELECT *, %(now)s::timestamptz AS now, %(window)s::interval AS w FROM {facts}) with_now
              ) with_gap
        ) with_instants
    """  # noqa: S608 - constants of this module


class Why(NamedTuple):
    """The rule that puts a customer in their stage, in words; the gap expected of them; what the rule counts in."""

    words: str
    gap: timedelta
    measure: str


def record_moves(customer_ids: Sequence[int], now: datetime, window: timedelta) -> None:
    """Bring the history of stages up to the facts, and record who moved.

    The stage in the facts is the truth and the open period its echo: whoever differs has moved. A customer's first
    stage opens their history and is no move.
    """
    params: dict[str, Any] = {"ids": sorted(set(customer_ids)), "now": now, "window": window}
    with connection.cursor() as cursor:
        for statement in (_RECORD_EVENTS, _CLOSE_PERIODS, _OPEN_PERIODS):
            cursor.execute(statement, params)


_FACTS = each("customers_customerfacts", "customer_id")
_MOVED = f"""
    FROM ({_FACTS}) f CROSS JOIN LATERAL (
        SELECT * FROM customers_stageperiod WHERE customer_id = f.customer_id AND left_at IS NULL OFFSET 0) p
    WHERE f.stage <> p.stage
"""  # noqa: S608 - constants of this module
_RECORD_EVENTS = f"""
    INSERT INTO customers_event
        (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT customer_id, 'stage.changed', %(now)s, %(now)s, 'lifecycle', '',
           jsonb_build_object('from', was, 'to', stage, 'why', reason.why), 'stage:' || period
    FROM (SELECT f.*, p.id AS period, p.stage AS was {_MOVED}) f
    CROSS JOIN LATERAL ({reasons("(SELECT f.*) AS facts")}) AS reason
    ORDER BY customer_id
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module
_CLOSE_PERIODS = f"""
    UPDATE customers_stageperiod SET left_at = GREATEST(%(now)s, entered_at) WHERE id = ANY(ARRAY(SELECT p.id {_MOVED}))
"""  # noqa: S608 - constants of this module
_OPEN_PERIODS = f"""
    INSERT INTO customers_stageperiod (customer_id, stage, entered_at)
    SELECT f.customer_id, f.stage, %(now)s
    FROM ({_FACTS}) f
    WHERE NOT EXISTS (SELECT FROM customers_stageperiod p WHERE p.customer_id = f.customer_id AND p.left_at IS NULL)
    ORDER BY f.customer_id
"""  # noqa: S608 - constants of this module
