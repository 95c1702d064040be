"""What a figure's definition says of it."""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    SHARE = "share"
    CUSTOMERS = "customers"
    MONEY = "money"
    POINTS = "points"
    SHARE_POINTS = "percentage points"
    RATIO = "ratio"
    TIMES = "times"


class Good(StrEnum):
    """Which way a change is good."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


@dataclass(frozen=True)
class Definition:
    """`formula` is the figure in one line, `text` what is counted and what is not."""

    name: str
    label: str
    unit: Unit
    good: Good
    formula: str
    text: str
    version: int = 1
    nothing: str = "no data"
    needs_basis: bool = False
    signed: bool = False
