"""The gates in front of a campaign: each a named condition in SQL, all asked of every candidate in one statement.

`judged` builds that statement's common part. Enrolment writes what it finds, the rehearsal only counts it, so that
what was promised before a launch is what the launch does.
"""

from dataclasses import dataclass
from typing import Any

from campaigns.sparing import HELD_OUT_BY


@dataclass(frozen=True)
class Gate:
    """One gate. `found` (SQL: text) is what was looked at; `holds` (SQL: boolean, never null) may read `found.<name>`.

    Both see the rows `customer`, `campaign` and `candidate(customer_id, occurrence, since)` and the instant `%(now)s`.
    """

    name: str
    title: str
    passed: str
    failed: str
    found: str
    holds: str


GATES = (
    Gate(
        name="has_address",
        title="Has an e-mail address",
        passed="Has an e-mail address.",
        failed="Has no e-mail address.",
        found="NULLIF(customer.email, '')",
        holds="found.has_address IS NOT NULL",
    ),
    Gate(
        name="agreed",
        title="Agreed to e-mail",
        passed="Agreed to get e-mail.",
        failed="Has not agreed to get e-mail.",
        found="""(SELECT consent.state FROM customers_consent consent
                  WHERE consent.customer_id = customer.id AND consent.channel = 'email')""",
        holds="found.agreed IS NOT DISTINCT FROM 'granted'",
    ),
    Gate(
        name="not_suppressed",
        title="Address not suppressed",
        passed="The address is not on the suppression list.",
        failed="The address is on the suppression list.",
        found="""(SELECT suppression.reason FROM campaigns_suppression suppression
                  WHERE suppression.channel = 'email' AND LOWER(suppression.address) = LOWER(customer.email))""",
        holds="found.not_suppressed IS NULL",
    ),
    Gate(
        name="not_left_out",
        title="Not in the segment left out",
        passed="Is not in the segment that is left out.",
        failed="Is in the segment that is left out.",
        found="""(SELECT segment.name FROM customers_segmentmembership other
                  JOIN customers_segment segment ON segment.id = other.segment_id
                  WHERE other.customer_id = customer.id AND other.segment_id = campaign.not_in_id
                    AND other.left_at IS NULL)""",
        holds="found.not_left_out IS NULL",
    ),
    Gate(
        name="not_held_out",
        title="Not held out by another campaign",
        passed="No other campaign's control group keeps them out.",
        failed="Another campaign holds them out as control, and has not judged them yet.",
        found=HELD_OUT_BY,
        holds="NOT campaign.spare_controls OR found.not_held_out IS NULL",
    ),
    Gate(
        name="not_inside",
        title="Not in this campaign now",
        passed="Was not in this campaign at that moment.",
        failed="Was in this campaign at that moment.",
        found="""(SELECT inside.entered_at::text FROM campaigns_enrolment inside
                  WHERE inside.customer_id = customer.id AND inside.campaign_id = campaign.id
                    AND inside.left_at IS NULL)""",
        holds="found.not_inside IS NULL",
    ),
    Gate(
        name="may_return",
        title="Not in this campaign lately",
        passed="Had not entered this campaign before, or long enough ago.",
        failed="Had entered this campaign before, and may not enter again yet.",
        found="""(SELECT MAX(earlier.entered_at)::text FROM campaigns_enrolment earlier
                  WHERE earlier.customer_id = customer.id AND earlier.campaign_id = campaign.id
                    AND (campaign.again_days IS NULL
                         OR earlier.entered_at > %(now)s - make_interval(days => campaign.again_days)))""",
        holds="found.may_return IS NULL",
    ),
    Gate(
        name="rested",
        title="Rested since the last message",
        passed="Got no message lately.",
        failed="Got a message too short a time ago.",
        found="""(SELECT MAX(COALESCE(message.settled_at, message.lease_until))::text FROM campaigns_message message
                  WHERE message.customer_id = customer.id AND message.state IN ('sending', 'sent', 'unknown')
                    AND COALESCE(message.settled_at, message.lease_until)
                        > %(now)s - make_interval(days => campaign.rest_days))""",
        holds="found.rested IS NULL",
    ),
    Gate(
        name="goal_not_met",
        title="Has not ordered meanwhile",
        passed="Has not ordered since coming up for this campaign.",
        failed="Has already ordered since coming up for this campaign.",
        found="""(SELECT MIN(orders.ordered_at)::text FROM customers_order orders
                  WHERE orders.customer_id = customer.id AND orders.state = 'completed'
                    AND orders.ordered_at > candidate.since AND orders.ordered_at <= %(now)s)""",
        holds="found.goal_not_met IS NULL",
    ),
    # The last one: `judged` also asks it of those who pass all others in the same statement.
    Gate(
        name="only_one",
        title="Nobody else in it with this address",
        passed="No other customer with this address is, or was, in this campaign.",
        failed="Another customer with the same address is, or was, in this campaign.",
        found="""(SELECT COALESCE(NULLIF(twin.name, ''), twin.external_id) FROM customers_customer twin
                  JOIN campaigns_enrolment entered ON entered.customer_id = twin.id
                  WHERE LOWER(twin.email) = LOWER(customer.email) AND customer.email <> ''
                    AND twin.id <> customer.id AND entered.campaign_id = campaign.id
                  ORDER BY entered.id LIMIT 1)""",
        holds="found.only_one IS NULL",
    ),
)
BY_NAME = {gate.name: gate for gate in GATES}

# The share of customers below which one is held out: the first 48 bits of a SHA-256, as a number in [0, 1).
_DRAW = """('x' || LEFT(ENCODE(SHA256(CONVERT_TO(campaign.id || ':' || customer.id, 'UTF8')), 'hex'), 12)
           )::bit(48)::bigint / 281474976710656.0"""

# What the last gate finds of whoever shares an address with an earlier candidate of the same statement.
_SECOND = "JSONB_BUILD_OBJECT('gate', 'only_one', 'passed', FALSE, 'found', sharing)"

_CANDIDATES = """
    SELECT membership.customer_id, membership.id AS occurrence,
           GREATEST(membership.entered_at, COALESCE(campaign.launched_at, %(now)s)) AS since
    FROM customers_segmentmembership membership, campaign
    WHERE membership.segment_id = campaign.segment_id AND membership.left_at IS NULL
      AND (campaign.take_present OR membership.entered_at >= COALESCE(campaign.launched_at, %(now)s))
      AND (%(occurrences)s::bigint[] IS NULL OR membership.id = ANY(%(occurrences)s::bigint[]))
      AND NOT EXISTS (SELECT 1 FROM campaigns_enrolment before WHERE before.campaign_id = campaign.id
                      AND before.customer_id = membership.customer_id AND before.occurrence = membership.id)
      AND NOT EXISTS (SELECT 1 FROM campaigns_refusal before WHERE before.campaign_id = campaign.id
                      AND before.customer_id = membership.customer_id AND before.occurrence = membership.id)
"""

# Instead of those who are in the segment: whoever would enter it now.
ENTERING = "SELECT customer_id, 0 AS occurrence, %(now)s AS since FROM UNNEST(%(customers)s::bigint[]) AS customer_id"


def judged(campaign: str, then: str, candidates: str = _CANDIDATES) -> str:
    """A statement that begins `WITH campaign, candidate, judged` and goes on with `then`.

    `campaign` is SQL that selects the one campaign, `candidates` SQL that gives the rows `candidate`.

    `judged` has customer_id, name, occurrence, arm, gates (JSON list of {gate, passed, found}), stopped_by, the first
    gate that failed or null, and held_out_by, another campaign's name or null. Parameters: see `parameters`.
    """
    found = ", ".join(f"{gate.found} AS {gate.name}" for gate in GATES)
    holds = ", ".join(f"{gate.holds} AS {gate.name}" for gate in GATES)
    listed = ", ".join(
        f"jsonb_build_object('gate', '{gate.name}', 'passed', holds.{gate.name}, 'found', found.{gate.name})"
        for gate in GATES
    )
    first = " ".join(f"WHEN NOT holds.{gate.name} THEN '{gate.name}'" for gate in GATES)
    # OFFSET 0 keeps the planner from asking each gate's question once more wherever its answer is used.
    return f"""
        WITH campaign AS ({campaign}),
        candidate AS ({candidates}),
        asked AS (
            SELECT candidate.customer_id, customer.name, LOWER(customer.email) AS address, candidate.occurrence,
                   CASE WHEN {_DRAW} < campaign.holdout_share / 100 THEN 'control' ELSE 'treated' END AS arm,
                   jsonb_build_array({listed}) AS gates, CASE {first} END AS stopped_by,
                   found.not_held_out AS held_out_by
            FROM candidate
            CROSS JOIN campaign
            JOIN customers_customer customer ON customer.id = candidate.customer_id
            CROSS JOIN LATERAL (SELECT {found} OFFSET 0) AS found
            CROSS JOIN LATERAL (SELECT {holds} OFFSET 0) AS holds
        ),
        placed AS (
            SELECT *, FIRST_VALUE(name) OVER here AS sharing,
                   ROW_NUMBER() OVER here > 1 AND stopped_by IS NULL AS second
            FROM asked WINDOW here AS (PARTITION BY address, stopped_by IS NULL ORDER BY occurrence, customer_id)
        ),
        judged AS (
            SELECT customer_id, name, occurrence, arm,
                   CASE WHEN second THEN 'only_one' ELSE stopped_by END AS stopped_by,
                   CASE WHEN second THEN JSONB_SET(gates, '{{-1}}', {_SECOND}) ELSE gates END AS gates, held_out_by
            FROM placed
        )
        {then}
    """  # noqa: S608  # every part is written above


def parameters(campaign_id: int, now: Any, occurrences: list[int] | None) -> dict[str, Any]:
    """What `judged` needs; `occurrences` are segment memberships, None for all present ones."""
    return {"campaign": campaign_id, "now": now, "occurrences": occurrences}
