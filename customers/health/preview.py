"""What would change: everybody by another profile or other bands, before it is saved. Nothing is written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from customers.health import scoring
from customers.health.profiles import Ruler, sorted_out
from customers.models import HealthBand, HealthSettings
from customers.segments.operators import Moment
from customers.segments.patience import patiently
from retention.common import clock
from retention.workspace.models import Workspace

#: Of more customers than that, so many drawn evenly are looked at.
SAMPLE = 20_000
PATIENCE_MS = 6_000
LABELS = {**{str(value): str(label) for value, label in HealthBand.choices}, "": "Too little known"}
ORDER = list(LABELS)


@dataclass(frozen=True)
class Line:
    """A band: how many are in it now, and how many would be."""

    label: str
    now: int
    then: int
    of: int

    @property
    def change(self) -> int:
        return self.then - self.now

    @property
    def percent(self) -> int:
        return round(100 * self.then / self.of) if self.of else 0


@dataclass(frozen=True)
class Preview:
    """`moves` counts customers by the band they are in and the one they would be in, of `of` looked at."""

    moves: Counter[tuple[str, str]]
    of: int
    is_sample: bool

    @property
    def lines(self) -> list[Line]:
        return [
            Line(
                label,
                sum(n for (now, _), n in self.moves.items() if now == band),
                sum(n for (_, then), n in self.moves.items() if then == band),
                self.of,
            )
            for band, label in LABELS.items()
        ]

    @property
    def better(self) -> int:
        return sum(n for (now, then), n in self.moves.items() if now and then and ORDER.index(then) < ORDER.index(now))

    @property
    def worse(self) -> int:
        return sum(n for (now, then), n in self.moves.items() if now and then and ORDER.index(then) > ORDER.index(now))

    @property
    def change(self) -> int:
        return sum(n for (now, then), n in self.moves.items() if now != then)


def preview(rulers: Sequence[Ruler], settings: HealthSettings) -> Preview:
    """Everybody, or a sample of them, by these rulers and bands, against how they stand. Raises TooSlow."""
    moment = Moment(clock.now(), Workspace.current().zone)
    moves: Counter[tuple[str, str]] = Counter()
    with patiently(PATIENCE_MS) as cursor:
        cursor.execute(_DRAWN, [SAMPLE + 1])
        customer_ids = [customer_id for (customer_id,) in cursor.fetchall()]
        for ruler, whose in sorted_out(rulers, customer_ids[:SAMPLE], moment):
            if whose:
                told = scoring.parameters(ruler, whose, moment.now, settings)
                cursor.execute(_COMPARED.replace("{scored}", scoring.scored(tuple(ruler.inputs))), told)
                moves.update({(now, then): number for now, then, number in cursor.fetchall()})
    return Preview(moves, min(len(customer_ids), SAMPLE), is_sample=len(customer_ids) > SAMPLE)


_DRAWN = "SELECT customer_id FROM customers_customerfacts ORDER BY hashint8(customer_id), customer_id LIMIT %s"
_COMPARED = """
    SELECT f.health_band, s.band, count(*)
    FROM ({scored}) s JOIN customers_customerfacts f ON f.customer_id = s.customer_id GROUP BY 1, 2
"""
