"""What health is made of. Each input says where its raw value is found, and which values are worth 0 and 100 points.

Rooms above add theirs in a module `health_inputs`, which is found when the product starts:

    add(Input("tier", "Loyalty tier", "…", "f.tier", worst=0, best=3, weight=1, told=lambda tier: f"Tier {tier:.0f}"))

SQL stands on `f`, the customer's facts, and on what `join` joins: LATERAL, by the index on customers, so that its time
does not hang on what the planner believes of the tables. It is made of constants. It may use the parameters `ids`,
`now`, `currency`, `zone` and `window` (the activity window). NULL is "no data": it lowers the coverage and not the
score.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.facts.stages import EXPECTED_GAP, USAGE_TO_TELL
from retention.common import clock
from retention.workspace.templatetags.shell import number, relative

#: Ages count in so many steps between best and worst, so that time passing is no change of every customer every day.
STEPS = 10
HIGHEST_WEIGHT = 10


@dataclass(frozen=True)
class Input:
    """An input. `raw` is a number; of an age it is an instant, and `worst` and `best` are whole days since.

    `weight`, `worst` and `best` stand until somebody sets others. `told` says a raw value in words; it is given a
    number or, of an age, the instant. `edge`: when time alone next gives another raw value; the steps of ages are
    known without.
    """

    key: str
    label: str
    about: str
    raw: str
    worst: int
    best: int
    weight: int
    told: Callable[[Any], str]
    unit: str = ""
    join: str = ""
    edge: str = ""
    is_age: bool = False

    def said(self, raw: float | str | None) -> str:
        """A stored raw value in words."""
        if raw is None:
            return "No data"
        return self.told(datetime.fromisoformat(str(raw)) if self.is_age else float(raw))


_inputs: dict[str, Input] = {}


def add(given: Input) -> None:
    """Register an input. Raises ValueError where another has its key."""
    if _inputs.setdefault(given.key, given) != given:
        raise ValueError(f"two inputs of health are called {given.key}")


def every() -> dict[str, Input]:
    """All inputs by key, in the order in which they are shown."""
    return dict(_inputs)


YEAR = "interval '365 days'"
#: Who uses a product at all is expected to within so many days.
USE_EXPECTED_DAYS = 14


def _trend(percent: float) -> str:
    if percent == -100:
        return "Not used in the last 30 days"
    if percent == 0:
        return "Used it as much as in the 30 days before"
    return f"Used it {number(abs(percent))} % {'more' if percent > 0 else 'less'} than in the 30 days before"


def _expected(at: datetime) -> str:
    late = at <= clock.now()
    return f"An order or a use was expected {relative(at)}" if late else f"The next is expected {relative(at)}"


def _waiting(burden: float) -> str:
    return f"Unresolved cases that weigh {burden:g}" if burden else "Every case is resolved"


def _returned(percent: float) -> str:
    return f"{number(percent, 1)} % of it cancelled or given back" if percent else "Nothing cancelled or given back"


add(
    Input(
        "usage_trend",
        "Usage trend",
        "Uses in the last 30 days against the 30 before. No data below "
        f"{USAGE_TO_TELL} uses in those; whoever has stopped altogether has fallen by 100 %.",
        f"""CASE WHEN f.usage_prior_30d >= {USAGE_TO_TELL}
                 THEN round(100.0 * (f.usage_30d - f.usage_prior_30d) / f.usage_prior_30d, 1)
                 WHEN f.usage_30d = 0 AND f.last_usage_at IS NOT NULL THEN -100 END""",
        worst=-80,
        best=-20,
        weight=3,
        told=_trend,
        unit="%",
    )
)
add(
    Input(
        "recency",
        "Recency",
        "Days that their next order or use is late: an order is expected after the gap that is usual for them, a use "
        f"within {USE_EXPECTED_DAYS} days of the last. No data for those who never did either.",
        f"GREATEST(f.last_order_at + hg.gap, f.last_usage_at + interval '{USE_EXPECTED_DAYS} days')",
        worst=45,
        best=0,
        weight=3,
        told=_expected,
        unit="days",
        join=f"""CROSS JOIN LATERAL (
            SELECT {EXPECTED_GAP} AS gap
            FROM (SELECT f.orders, f.order_gap_days, %(window)s::interval AS w) known
        ) hg""",  # noqa: S608 - constants of this module
        is_age=True,
    )
)
add(
    Input(
        "cases",
        "Cases",
        "Unresolved cases by their priority: low ½, normal 1, high 2, urgent 3. No data where none was opened in the "
        "last 365 days.",
        f"CASE WHEN hc.burden > 0 THEN hc.burden WHEN hc.last_at > %(now)s - {YEAR} THEN 0 END",
        worst=4,
        best=0,
        weight=1,
        told=_waiting,
        unit="weight of cases",
        join="""CROSS JOIN LATERAL (
            SELECT max(opened_at) AS last_at,
                   sum(CASE priority WHEN 'urgent' THEN 3 WHEN 'high' THEN 2 WHEN 'low' THEN 0.5 ELSE 1 END)
                       FILTER (WHERE state <> 'resolved') AS burden
            FROM customers_case WHERE customer_id = f.customer_id AND timestamptz_le(opened_at, %(now)s)
        ) hc""",
        edge=f"hc.last_at + {YEAR}",
    )
)
add(
    Input(
        "payments",
        "Payments",
        "Share of what they ordered in the last 365 days that was cancelled or given back. Whether a payment failed is "
        "not known here; no data where nothing was ordered.",
        "round(100 * hp.lost / NULLIF(hp.placed, 0), 1)",
        worst=30,
        best=0,
        weight=1,
        told=_returned,
        unit="%",
        join=f"""CROSS JOIN LATERAL (
            SELECT sum(amount) AS placed, min(ordered_at) + {YEAR} AS edge_at,
                   sum(CASE state WHEN 'completed' THEN LEAST(refunded, amount) ELSE amount END) AS lost
            FROM customers_order
            WHERE customer_id = f.customer_id AND amount > 0 AND currency = %(currency)s
              AND timestamptz_le(ordered_at, %(now)s) AND timestamptz_gt(ordered_at, %(now)s - {YEAR})
        ) hp""",  # noqa: S608 - constants of this module
        edge="hp.edge_at",
    )
)
add(
    Input(
        "engagement",
        "Engagement with contacts",
        "Days since the last call, meeting, e-mail or chat with them, or since they last opened a message. No data "
        "where there was neither.",
        "GREATEST(f.last_talk_at, f.last_open_at, f.last_click_at)",
        worst=180,
        best=30,
        weight=1,
        told=lambda at: f"Last in touch {relative(at)}",
        unit="days",
        is_age=True,
    )
)
_TODAY = "(%(now)s::timestamptz AT TIME ZONE %(zone)s::text)::date"
add(
    Input(
        "plan_progress",
        "Plan progress",
        "Share of the milestones of agreed success plans that are reached, of those reached or whose day has passed. "
        "No data before the first.",
        "round(100.0 * hs.reached / NULLIF(hs.due, 0), 1)",
        worst=40,
        best=100,
        weight=1,
        told=lambda percent: f"{number(percent)} % of the milestones due are reached",
        unit="%",
        join=f"""CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE step.state = 'done') AS reached,
                   count(*) FILTER (WHERE step.state = 'done' OR step.due_on < {_TODAY}) AS due,
                   min(step.due_on) FILTER (WHERE step.state = 'open' AND step.due_on >= {_TODAY}) AS next_due
            FROM customers_successplan plan JOIN customers_milestone step ON step.plan_id = plan.id
            WHERE plan.customer_id = f.customer_id AND plan.state = 'agreed' AND step.state <> 'dropped'
        ) hs""",  # noqa: S608 - constants of this module
        edge="((hs.next_due + 1)::timestamp AT TIME ZONE %(zone)s::text)",
    )
)
