"""Weighing an offer against the limits: what each leaves, and which it goes beyond by how much."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from customers.models import CustomerFacts
from loyalty.authorising import most_of
from loyalty.costing import Cost, Terms
from loyalty.models import Authority, Kind
from loyalty.spending import Spent
from retention.common.counting import counted
from retention.workspace.models import Workspace
from retention.workspace.templatetags.shell import money, plain

#: Ceilings are kept with four decimals, rounded down: a limit is never passed by rounding.
EXACT = Decimal("0.0001")
NOUNS = {Kind.FREE_MONTHS: "month", Kind.UPGRADE: "month", Kind.TRAINING: "session"}


@dataclass(frozen=True)
class Ground:
    """What limits are measured on: a customer's revenue in a year, and the share of revenue that is margin, in %."""

    mrr: Decimal
    revenue: Decimal
    margin: Decimal
    currency: str

    @classmethod
    def under(cls, customer_id: int, workspace: Workspace) -> "Ground":
        facts = CustomerFacts.objects.filter(customer=customer_id).first() or CustomerFacts(customer_id=customer_id)
        return cls.on(facts, workspace)

    @classmethod
    def on(cls, facts: CustomerFacts, workspace: Workspace) -> "Ground":
        """A year of MRR; for who has no subscription, what they ordered in the last 365 days."""
        revenue = 12 * facts.mrr if facts.mrr > 0 else max(facts.revenue_365d, Decimal(0))
        return cls(facts.mrr, revenue, workspace.margin_share, workspace.currency)

    def margin_left(self, given: Decimal) -> Decimal | None:
        """The margin in % of a year's revenue after `given` was taken off it; None where there is no revenue."""
        return self.margin - 100 * given / self.revenue if self.revenue else None

    def room(self, floor: Decimal | None) -> Decimal | None:
        """How much can be given in a year before the margin falls below `floor`; None without one."""
        return None if floor is None else (self.margin - floor) / 100 * self.revenue


@dataclass(frozen=True)
class Gauge:
    """One limit: what is used of it already, what this offer adds, and the most. Amounts in `unit`."""

    label: str
    used: Decimal
    adds: Decimal
    most: Decimal
    unit: str

    @property
    def over(self) -> Decimal:
        return max(Decimal(0), self.used + self.adds - self.most)

    @property
    def left(self) -> Decimal:
        """After this offer."""
        return max(Decimal(0), self.most - self.used - self.adds)

    @property
    def width(self) -> int:
        """How full it is with this offer, 0–100."""
        whole = self.used + self.adds
        if self.most <= 0:
            return 100 if whole > 0 else 0
        return int(min(Decimal(100), 100 * whole / self.most))

    def words(self, amount: Decimal) -> str:
        if self.unit in NOUNS.values():
            return counted(int(amount), self.unit)
        return f"{plain(amount.quantize(Decimal('0.01')))} %" if self.unit == "%" else money(amount, self.unit)

    @property
    def most_said(self) -> str:
        return self.words(max(Decimal(0), self.most))

    @property
    def left_said(self) -> str:
        return self.words(self.left)

    @property
    def over_said(self) -> str:
        """35 % is 15 points above 20 %: not 15 %, which would be 23 %."""
        if self.unit == "%":
            points = plain(self.over.quantize(Decimal("0.01")))
            return f"{points} point{'' if points == '1' else 's'}"
        return self.words(self.over)

    @property
    def excess(self) -> str:
        """Which limit, and by how much."""
        so_far = f" with {self.words(self.used)} given before" if self.used else ""
        return f"{self.label}: {self.words(self.adds)}{so_far} is {self.over_said} above {self.most_said}"


@dataclass(frozen=True)
class Weighed:
    """An offer on the scales of somebody's limits. `ceilings` are None where nothing limits."""

    cost: Cost
    ground: Ground
    given: Decimal
    gauges: list[Gauge]
    customer_ceiling: Decimal | None
    month_ceiling: Decimal | None

    @property
    def over(self) -> list[str]:
        """The limits it goes beyond, in words; empty where it can be granted."""
        return [gauge.excess for gauge in self.gauges if gauge.over]

    @property
    def margin_before(self) -> Decimal | None:
        return self.ground.margin_left(self.given)

    @property
    def margin_after(self) -> Decimal | None:
        return self.ground.margin_left(self.given + self.cost.amount)


def weigh(terms: Terms, cost: Cost, ground: Ground, spent: Spent, limits: Authority) -> Weighed:
    """Hold an offer against the limits of whoever would answer for it."""
    room = ground.room(limits.margin_floor)
    ceilings = [most for most in (limits.customer_year_most, room) if most is not None]
    return Weighed(
        cost=cost,
        ground=ground,
        given=spent.customer_year,
        gauges=list(_gauges(terms, cost, ground, spent, limits)),
        customer_ceiling=_exact(min(ceilings)) if ceilings else None,
        month_ceiling=limits.month_most,
    )


def _gauges(terms: Terms, cost: Cost, ground: Ground, spent: Spent, limits: Authority) -> Iterator[Gauge]:
    nothing, currency = Decimal(0), ground.currency
    if (most := most_of(limits, terms.kind)) is not None:
        unit = "%" if terms.kind is Kind.DISCOUNT else NOUNS.get(terms.kind, currency)
        yield Gauge(f"{terms.kind.label} in one offer", nothing, terms.size, most, unit)
    if limits.offer_most is not None:
        yield Gauge("Cost of one offer", nothing, cost.amount, limits.offer_most, currency)
    if limits.customer_year_most is not None:
        yield Gauge(
            "For this customer this year", spent.customer_year, cost.amount, limits.customer_year_most, currency
        )
    if limits.month_most is not None:
        yield Gauge("For all customers this month", spent.person_month, cost.amount, limits.month_most, currency)
    if (room := ground.room(limits.margin_floor)) is not None and limits.margin_floor is not None:
        label = f"Before the margin falls below {plain(limits.margin_floor)} %"
        yield Gauge(label, spent.customer_year, cost.amount, _exact(room), currency)


def _exact(amount: Decimal) -> Decimal:
    return amount.quantize(EXACT, rounding=ROUND_FLOOR)
