"""A launch without its effects: how many would be taken in, held out, and blocked, and by which gate."""

from dataclasses import dataclass

from django.db import connection

from campaigns.gates import GATES, Gate, judged, parameters
from campaigns.models import Campaign
from retention.common import clock

_CAMPAIGN = "SELECT * FROM campaigns_campaign WHERE id = %(campaign)s"
_COUNTS = judged(_CAMPAIGN, "SELECT stopped_by, arm, COUNT(*) FROM judged GROUP BY stopped_by, arm")
_SAMPLE = judged(
    _CAMPAIGN,
    "SELECT customer_id, name FROM judged WHERE stopped_by IS NULL AND arm = 'treated' ORDER BY customer_id LIMIT 10",
)


@dataclass(frozen=True)
class Blocked:
    """A gate, and how many candidates it is the first to stop."""

    gate: Gate
    customers: int


@dataclass(frozen=True)
class Rehearsal:
    """What a launch would do now. candidates = treated + held_out + all that are blocked."""

    candidates: int
    treated: int
    held_out: int
    blocked: list[Blocked]
    sample: list[tuple[int, str]]

    @property
    def stopped(self) -> int:
        return sum(each.customers for each in self.blocked)


def rehearse(campaign: Campaign) -> Rehearsal:
    """Ask the gates about everybody in the segment now; writes nothing."""
    asked = parameters(campaign.pk, clock.now(), None)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, asked)
        counts = {(gate, arm): customers for gate, arm, customers in cursor.fetchall()}
        cursor.execute(_SAMPLE, asked)
        sample = cursor.fetchall()
    stopped = [Blocked(gate, sum(n for (name, _), n in counts.items() if name == gate.name)) for gate in GATES]
    return Rehearsal(
        candidates=sum(counts.values()),
        treated=counts.get((None, "treated"), 0),
        held_out=counts.get((None, "control"), 0),
        blocked=[each for each in stopped if each.customers],
        sample=sample,
    )
