"""A launch without its effects: how many would be taken in, held out, and blocked, and by which gate."""

from dataclasses import dataclass

from django.db import connection

from campaigns.gates import GATES, Gate, judged, parameters
from campaigns.models import Arm, Campaign
from retention.common import clock

_CAMPAIGN = "SELECT * FROM campaigns_campaign WHERE id = %(campaign)s"
_COUNTS = judged(
    _CAMPAIGN, "SELECT stopped_by, arm, held_out_by, COUNT(*) FROM judged GROUP BY stopped_by, arm, held_out_by"
)
_SAMPLE = judged(
    _CAMPAIGN,
    "SELECT customer_id, name FROM judged WHERE stopped_by IS NULL AND arm = 'treated' ORDER BY customer_id LIMIT 10",
)


Counts = dict[tuple[str | None, str, str | None], int]


@dataclass(frozen=True)
class Blocked:
    """A gate, and how many candidates it is the first to stop."""

    gate: Gate
    customers: int


@dataclass(frozen=True)
class Overlap:
    """Candidates whom another campaign holds out as control: how many are kept out for it, how many written to."""

    campaign: str
    spared: int
    written_to: int


@dataclass(frozen=True)
class Rehearsal:
    """What a launch would do now. candidates = treated + held_out + all that are blocked."""

    candidates: int
    treated: int
    held_out: int
    blocked: list[Blocked]
    overlaps: list[Overlap]
    sample: list[tuple[int, str]]

    @property
    def stopped(self) -> int:
        return sum(each.customers for each in self.blocked)


def rehearse(campaign: Campaign) -> Rehearsal:
    """Ask the gates about everybody in the segment now; writes nothing."""
    asked = parameters(campaign.pk, clock.now(), None)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, asked)
        counts: Counts = {(gate, arm, by): customers for gate, arm, by, customers in cursor.fetchall()}
        cursor.execute(_SAMPLE, asked)
        sample = cursor.fetchall()
    stopped = [Blocked(gate, sum(n for (name, _, _), n in counts.items() if name == gate.name)) for gate in GATES]
    return Rehearsal(
        candidates=sum(counts.values()),
        treated=sum(n for (gate, arm, _), n in counts.items() if gate is None and arm == Arm.TREATED),
        held_out=sum(n for (gate, arm, _), n in counts.items() if gate is None and arm == Arm.CONTROL),
        blocked=[each for each in stopped if each.customers],
        overlaps=_overlaps(counts),
        sample=sample,
    )


def _overlaps(counts: Counts) -> list[Overlap]:
    """By campaign; those whom another gate stops, or who are held out here too, are in neither number."""
    found = []
    for name in sorted({by for _, _, by in counts if by is not None}):
        theirs = {key: n for key, n in counts.items() if key[2] == name}
        spared = sum(n for (gate, _, _), n in theirs.items() if gate == "not_held_out")
        found.append(Overlap(name, spared, theirs.get((None, Arm.TREATED, name), 0)))
    return [each for each in found if each.spared or each.written_to]
