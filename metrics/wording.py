"""Figures in words: what a tile, a receipt and the command line say of a value, its interval and its change."""

from decimal import Decimal

from metrics.definition import Unit
from metrics.effect import PER, Effect
from metrics.figures import Change, Figure, Number
from retention.workspace.templatetags.shell import money, number

MINUS, NARROW = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"


def signed(text: str, value: Number) -> str:
    """With its sign, also where it is above 0."""
    return text.replace("-", MINUS) if value < 0 else f"+{text}" if value > 0 else text


def percent(share: Number, places: int = 1) -> str:
    return f"{number(100 * float(share), places)}{NARROW}%"


def say(value: Number | None, figure: Figure) -> str:
    """A value in the figure's unit, or that there is none."""
    if value is None:
        return figure.definition.nothing
    text = _in_unit(value, figure)
    return signed(text, value) if figure.definition.signed else text.replace("-", MINUS)


def _in_unit(value: Number, figure: Figure) -> str:
    match figure.definition.unit:
        case Unit.SHARE:
            return percent(value)
        case Unit.CUSTOMERS | Unit.TIMES:
            return number(value)
        case Unit.MONEY:
            return money(Decimal(value), figure.currency)
        case Unit.SHARE_POINTS:
            return f"{number(100 * float(value), 1)}{NARROW}pp"
        case Unit.POINTS:
            return number(value, 1)
        case Unit.RATIO:
            return number(float(value), 2)


def say_interval(figure: Figure) -> str:
    """`78.1 % to 84.9 %`, empty where none is defined."""
    if figure.interval is None:
        return ""
    return f"{say(figure.interval.low, figure)} to {say(figure.interval.high, figure)}"


def say_change(moved: Change) -> str:
    """`+1.5 pp`, `−15.0 %`: points of percent and per cent are never the same."""
    if not round(moved.value, 1):
        return "unchanged"
    return signed(f"{number(moved.value, 1)}{NARROW}{moved.kind}", moved.value)


def headline(found: Effect) -> str:
    """The campaign's effect in one sentence."""
    for why_not in (_not_launched, _no_control, _too_early, _bad_split):
        if sentence := why_not(found):
            return sentence
    value, interval = found.per_thousand
    if value is None or interval is None:
        return "Nobody has ordered yet, so there is nothing to compare."
    if not found.shown:
        return f"No effect shown: {_few(interval.low)} to {_few(interval.high)} customers kept per {number(PER)}."
    more, low, high = ("more", interval.low, interval.high) if value > 0 else ("fewer", -interval.high, -interval.low)
    span = f"between {number(low)} and {number(high)}"
    return f"Kept {number(abs(value))} {more} customers per {number(PER)}, {span}."


def thousand(found: Effect, which: str) -> str:
    """The value, low or high end of the effect per 1,000 customers, with its sign."""
    value, interval = found.per_thousand
    if value is None or interval is None:
        return ""
    shown = {"value": value, "low": interval.low, "high": interval.high}[which]
    return signed(number(shown), round(shown))


def say_p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {number(p, 3)}"


def say_lift(lift: float) -> str:
    """A relative change, in per cent."""
    return signed(f"{number(100 * lift, 1)}{NARROW}%", lift)


def _few(count: float) -> str:
    return f"{number(abs(count))} {'fewer' if count < 0 else 'more'}"


def _not_launched(found: Effect) -> str:
    return "" if found.campaign.launched_at else "The campaign has not been launched."


def _no_control(found: Effect) -> str:
    if found.campaign.holdout_share or found.arms.split[1]:
        return ""
    return "Nobody was held out as control, so nothing can be said about what the campaign changed."


def _too_early(found: Effect) -> str:
    if found.figures["effect"].value is not None:
        return ""
    return f"Too early to tell: a customer is judged {found.campaign.goal_days} days after entering."


def _bad_split(found: Effect) -> str:
    return "" if found.trusted else "No winner is named: customers were not split between the groups as asked for."
