"""Buying: coffee, filters and spare parts, each customer at a pace of their own until they stop.

After every order some never come back, the unhappy more often (the idea of the BG/NBD model). They are the ones whom
the win-back campaign is for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import exp
from random import Random

from retention.demo.people import Person
from retention.demo.span import DAYS, waking
from retention.demo.subscriptions import Contract

STOP, STOP_AFTER_LEAVING = 0.10, 0.6
NEVER_ORDER, CANCELLED, REFUNDED = 0.07, 0.02, 0.02
GOODS = (
    ("BEAN-ESP", "Espresso beans, 1 kg", "21.50"),
    ("BEAN-FIL", "Filter beans, 1 kg", "23.00"),
    ("BEAN-DEC", "Decaf beans, 1 kg", "24.50"),
    ("MILK-OAT", "Oat drink, 6 × 1 l", "13.80"),
    ("CUP-250", "Paper cups, 250", "17.90"),
    ("FILT-02", "Paper filters, 400", "9.60"),
    ("CLEAN-T", "Cleaning tablets, 100", "28.00"),
    ("CLEAN-D", "Descaler, 1 l", "15.20"),
    ("PART-GR", "Burr set for grinders", "64.00"),
    ("TEA-MIX", "Tea assortment, 8 × 25", "31.00"),
)


@dataclass(frozen=True)
class Line:
    sku: str
    description: str
    quantity: int
    price: Decimal


@dataclass(frozen=True)
class Purchase:
    """An order on a day of the span."""

    day: float
    lines: tuple[Line, ...]
    state: str = "completed"
    refunded: Decimal = Decimal(0)

    @property
    def amount(self) -> Decimal:
        return sum((line.quantity * line.price for line in self.lines), Decimal(0))


def purchases(rng: Random, person: Person, contracts: list[Contract]) -> list[Purchase]:
    """What a person ordered, in order of time."""
    if rng.random() < NEVER_ORDER:
        return []
    return list(_until_they_stop(rng, person, contracts))


def _until_they_stop(rng: Random, person: Person, contracts: list[Contract]) -> Iterator[Purchase]:
    gap = rng.lognormvariate(3.5, 0.45)  # days between orders; about 33
    day = person.joined + rng.uniform(1, 6)
    while day < DAYS:
        yield _purchase(rng, person, waking(rng, day))
        if rng.random() < _stops(person, contracts, day):
            return
        day += max(1.0, rng.gammavariate(3, gap / 3))


def _stops(person: Person, contracts: list[Contract], day: float) -> float:
    has_left = bool(contracts) and contracts[-1].ended is not None and contracts[-1].ended < day
    return STOP_AFTER_LEAVING if has_left else min(0.5, STOP * exp(-0.5 * person.satisfaction))


def _purchase(rng: Random, person: Person, day: float) -> Purchase:
    lines = basket(rng, person)
    chance = rng.random()
    if chance < CANCELLED:
        return Purchase(day, lines, state="cancelled")
    part = lines[0].price if chance < CANCELLED + REFUNDED else Decimal(0)
    return Purchase(day, lines, refunded=part)


def basket(rng: Random, person: Person) -> tuple[Line, ...]:
    """One to four goods; companies take more of each."""
    goods = rng.sample(GOODS, rng.choices((1, 2, 3, 4), (30, 35, 22, 13))[0])
    most = max(2, round(2 * person.size))
    return tuple(Line(sku, words, rng.randint(1, most), Decimal(price)) for sku, words, price in goods)
