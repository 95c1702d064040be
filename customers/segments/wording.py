"""Rules in words, and the values that customers have, as people read them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from customers.models import Verdict
from customers.segments.fields import Column
from customers.segments.operators import Takes
from customers.segments.rules import (
    AllOf,
    AnyOf,
    ByHand,
    Compare,
    Condition,
    InSegment,
    Nobody,
    Not,
    Rule,
    RuleRefused,
    Tallied,
    comparisons,
    every_condition,
)
from retention.common import money
from retention.workspace.models import User, Workspace


@dataclass(frozen=True)
class Words:
    """What wording needs to know: the workspace's zone and currency, and the account managers' names."""

    zone: tzinfo
    currency: str
    people: Mapping[str, str] = field(default_factory=dict)


def words_for(workspace: Workspace, rule: Rule) -> Words:
    """The words for a rule; people are only read where it names one."""
    asked = any(one.column.unit == "person" for part in every_condition(rule) for one in comparisons(part))
    people = {str(user.pk): str(user) for user in User.objects.all()} if asked else {}
    return Words(workspace.zone, workspace.currency, people)


def refused(refusal: RuleRefused) -> str:
    """Where and why a rule is refused, as "row 2 of the group in row 3 refers to a segment that is no longer there"."""
    place = None
    for number in re.findall(r"\[(\d+)\]", refusal.place.partition("where")[0]):
        row = f"row {int(number) + 1}"
        place = f"{row} of the group in {place}" if place else row
    return f"{place or 'it'} {refusal.why}"


@dataclass(frozen=True)
class Line:
    """A condition, or the heading of a group with its parts below."""

    text: str
    parts: tuple["Line", ...] = ()


def describe(rule: Rule, words: Words) -> Line:
    """The rule as lines of words, one below the other as the rule is nested."""
    if isinstance(rule, AllOf | AnyOf | Not):
        return Line(heading(rule), tuple(describe(part, words) for part in parts_of(rule)))
    if isinstance(rule, Nobody):
        return Line("Nobody by a rule: this is a list, and its customers are put in by hand")
    inner = (describe(rule.rule, words),) if isinstance(rule, InSegment) and rule.rule is not None else ()
    return Line(phrase(rule, words), inner)


def heading(group: AllOf | AnyOf | Not) -> str:
    if isinstance(group, Not):
        return "None of these" if isinstance(group.part, AnyOf) else "Not all of these"
    return "All of these" if isinstance(group, AllOf) else "Any of these"


def parts_of(group: AllOf | AnyOf | Not) -> tuple[Rule, ...]:
    """The parts below a group's heading: "not any of" is one heading, not two."""
    if not isinstance(group, Not):
        return group.parts
    return group.part.parts if isinstance(group.part, AllOf | AnyOf) else (group.part,)


def phrase(part: Condition, words: Words) -> str:
    """One condition in words, as "Number of orders is at least 2"."""
    if isinstance(part, ByHand):
        return "Put in by hand" if part.verdict == Verdict.IN else "Kept out by hand"
    if isinstance(part, InSegment):
        return part.operator.phrase.replace("{value}", f"the segment “{part.name}”")
    if isinstance(part, Tallied):
        return _tallied(part, words)
    before, slot, after = part.operator.phrase.removeprefix("{field}").partition("{value}")
    value = _value(part, words) if slot else ""
    whose = ", by the customer's own days" if part.days_of else ""
    return f"{part.column.label}{before}{value}{after}{whose}"


def _tallied(part: Tallied, words: Words) -> str:
    """As "Contacts: at least 2, where Role is “Buyer”", "Used the product at least 3 times in the last 30 days"."""
    period = "" if part.days is None else f" in the last {days(part.days)}"
    where = " and ".join(phrase(one, words) for one in part.where)
    label = part.tally.label if part.tally.happens else f"{part.tally.label}:"
    said = f"{label} {part.operator.label} {amount(part, part.amount, words)}{period}"
    return f"{said}, where {where}" if where else said


def amount(part: Tallied, value: Any, words: Words) -> str:
    """A count as "3 times" of what happens and "3" of what there is, a total in its unit."""
    return times(int(value)) if part.tally.happens else _number(Decimal(value), part.tally.unit, words)


def _value(part: Compare, words: Words) -> str:
    takes = part.operator.takes
    if takes is Takes.DAYS:
        return days(part.value)
    if takes in (Takes.TEXTS, Takes.CHOICES):
        return " or ".join(shown(part.column, entry, words) for entry in part.value)
    if takes is Takes.TEXT:
        return f"“{part.value}”"
    return shown(part.column, part.value, words)


def days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"


def times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def shown(column: Column, value: Any, words: Words) -> str:
    """A value of a column as people read it."""
    if column.unit == "person":
        return words.people.get(value, "someone who is no longer here")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if column.choices:
        return dict(column.choices).get(value, str(value))
    if isinstance(value, date):
        return _day(value, words)
    if isinstance(value, int | float | Decimal):
        return _number(Decimal(str(value)), column.unit, words)
    return str(value)


def _day(value: date, words: Words) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(words.zone)
    return f"{value.day} {value:%b %Y}"


def _number(value: Decimal, unit: str, words: Words) -> str:
    if unit == "money":
        return f"{money.rounded(value, words.currency):,} {words.currency}"
    plain = f"{round(value, 2).normalize():,f}"
    return {"percent": f"{plain} %", "days": f"{plain} days"}.get(unit, plain)
