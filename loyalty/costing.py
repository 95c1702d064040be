"""What an offer costs, as a formula that can be read and checked.

A discount, a free month and an upgrade cost the price that is not charged: what it takes to serve the customer stays
the same. MRR is the customer's facts', in the workspace's currency (METRICS, Recurring revenue).
"""

from dataclasses import dataclass
from decimal import Decimal

from loyalty.models import Kind, Offer
from retention.common.counting import counted
from retention.common.money import rounded
from retention.workspace.templatetags.shell import money, plain


class NoPrice(Exception):
    """There is no monthly price to take something off. The text says so."""


@dataclass(frozen=True)
class Terms:
    """What is given: of the parts those that its kind has. `amount` is a credit, or a plan's difference a month."""

    kind: Kind
    percent: Decimal = Decimal(0)
    months: int = 0
    amount: Decimal = Decimal(0)
    plan: str = ""
    sessions: int = 0

    @classmethod
    def of(cls, offer: Offer) -> "Terms":
        return cls(
            Kind(offer.kind),
            offer.percent or Decimal(0),
            offer.months or 0,
            offer.amount or Decimal(0),
            offer.plan,
            offer.sessions or 0,
        )

    @property
    def size(self) -> Decimal:
        """What the limit of its kind is about: per cent, money, months or sessions."""
        sizes = {Kind.DISCOUNT: self.percent, Kind.CREDIT: self.amount, Kind.TRAINING: Decimal(self.sessions)}
        return sizes.get(self.kind, Decimal(self.months))

    def said(self, currency: str) -> str:
        """In a few words: 20 % off for 3 months."""
        months = counted(self.months, "month")
        return {
            Kind.DISCOUNT: f"{plain(self.percent)} % off for {months}",
            Kind.CREDIT: f"a credit of {money(self.amount, currency)}",
            Kind.FREE_MONTHS: f"{counted(self.months, 'free month')}",
            Kind.UPGRADE: f"an upgrade to {self.plan} for {months}",
            Kind.TRAINING: f"{counted(self.sessions, 'training session')}",
        }[self.kind]


@dataclass(frozen=True)
class Cost:
    """An amount in the currency's smallest unit, and how it was worked out."""

    amount: Decimal
    formula: str


def cost_of(terms: Terms, mrr: Decimal, session: Decimal, currency: str) -> Cost:
    """The cost of an offer. Raises NoPrice where the customer pays nothing monthly in `currency`."""
    if terms.kind in (Kind.DISCOUNT, Kind.FREE_MONTHS) and mrr <= 0:
        raise NoPrice(f"They have no subscription in {currency} to take this off. Give a credit or a training session.")
    price, months = f"{money(mrr, currency)} MRR", counted(terms.months, "month")
    amount, steps = {
        Kind.DISCOUNT: (mrr * terms.percent / 100 * terms.months, f"{plain(terms.percent)} % of {price} × {months}"),
        Kind.CREDIT: (terms.amount, "The credit itself"),
        Kind.FREE_MONTHS: (mrr * terms.months, f"{price} × {months}"),
        Kind.UPGRADE: (
            terms.amount * terms.months,
            f"{money(terms.amount, currency)} a month for {terms.plan}, not charged, × {months}",
        ),
        Kind.TRAINING: (session * terms.sessions, f"{money(session, currency)} each × {terms.sessions}"),
    }[terms.kind]
    exact = rounded(amount, currency)
    return Cost(exact, f"{steps} = {money(exact, currency)}")
