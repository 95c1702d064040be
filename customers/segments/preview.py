"""Whom a rule would pick: how many, of how many, and ten of them, or a word that this takes too long to say now."""

from dataclasses import dataclass
from typing import Any

from customers.models import CustomerFacts
from customers.segments import compiling
from customers.segments.operators import Moment
from customers.segments.patience import patiently
from customers.segments.rules import Rule
from retention.common import clock
from retention.workspace.models import Workspace

SAMPLE = 10


@dataclass(frozen=True)
class Preview:
    """`sample`: the same ten each time, drawn evenly from everybody the rule picks."""

    count: int
    of: int
    sample: list[dict[str, Any]]

    @property
    def percent(self) -> float:
        return 100 * self.count / self.of if self.of else 0


def preview(rule: Rule, workspace: Workspace) -> Preview:
    """Two queries, under a time limit. Raises TooSlow."""
    query = compiling.members(rule, Moment(clock.now(), workspace.zone))
    with patiently() as cursor:
        cursor.execute(
            f"""
            WITH members AS MATERIALIZED ({query.text})
            SELECT (SELECT count(*) FROM members), (SELECT count(*) FROM customers_customerfacts),
                   ARRAY(SELECT customer_id FROM members ORDER BY hashint8(customer_id), customer_id LIMIT {SAMPLE})
            """,  # noqa: S608 - the rule is constants with parameters
            query.params,
        )
        count, of, ids = cursor.fetchone()
        return Preview(count, of, _shown(ids))


def _shown(customer_ids: list[int]) -> list[dict[str, Any]]:
    columns = {
        "pk": "customer_id",
        "name": "customer__name",
        "email": "customer__email",
        "known_as": "customer__external_id",
        **{name: name for name in ("stage", "orders", "revenue", "last_order_at")},
    }
    rows = CustomerFacts.objects.filter(customer__in=customer_ids).values_list(*columns.values())
    shown = [dict(zip(columns, row, strict=True)) for row in rows]
    return sorted(shown, key=lambda row: customer_ids.index(row["pk"]))
