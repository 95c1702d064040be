"""Rules: from JSON to small typed trees, or a refusal that names the place.

    {"all": [rule, …]}   {"any": [rule, …]}   {"not": rule}
    {"field": "orders", "op": "at_least", "value": 2}
    {"field": "joined_at", "op": "is_today", "days_of": "customer"}, by each customer's own midnight
    {"nobody": true}, of a list, whose customers are all put in by hand

The fields and their operators are in the catalogue (docs/segments.md lists them). Nothing unknown is passed over: a
rule means exactly what it says, or is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from customers.segments import catalogue
from customers.segments.custom import CustomColumns
from customers.segments.fields import CUSTOM, Column, Field, OtherSegment, Tally
from customers.segments.operators import Amount, Comparison, Operator
from customers.segments.values import READERS, BadValue

MAX_DEPTH, MAX_CONDITIONS, MAX_WHERE = 12, 200, 10
#: Days that begin at each customer's own midnight.
CUSTOMER = "customer"


class RuleRefused(Exception):
    """The rule cannot be used. `place` is where, as `all[2].value`; `why` is a sentence without it."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place or 'rule'}: {why}")
        self.place, self.why = place, why


@dataclass(frozen=True)
class AllOf:
    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Not:
    part: "Rule"


@dataclass(frozen=True)
class Compare:
    """A column of the customer against a value. `days_of`: whose days count, the workspace's where it is empty."""

    column: Column
    operator: Comparison
    value: Any
    days_of: str = ""


@dataclass(frozen=True)
class Tallied:
    """How many related rows there are in the last days (None: ever), or their total; of those that meet `where`."""

    tally: Tally
    operator: Amount
    amount: Decimal
    days: int | None
    where: tuple[Compare, ...] = ()


@dataclass(frozen=True)
class InSegment:
    """Whether another segment's rule holds. `name` and `rule` are filled in by `references.resolve`."""

    operator: Operator
    segment_id: int
    name: str = ""
    rule: "Rule | None" = None


@dataclass(frozen=True)
class ByHand:
    """Whether somebody put the customer in a segment, or keeps them out. Nobody writes it: see `references.whole`."""

    segment_id: int
    verdict: str


@dataclass(frozen=True)
class Nobody:
    """The whole rule of a list kept by hand."""


Condition = Compare | Tallied | InSegment | ByHand
Rule = AllOf | AnyOf | Not | Condition | Nobody
#: A list's rule as JSON.
NOBODY: dict[str, Any] = {"nobody": True}


def parse(data: Any, custom: CustomColumns | None = None) -> Rule:
    """The rule that JSON data says. Raises RuleRefused.

    `custom`: the custom fields, for whoever reads several rules; else they are read where the rule names one.
    """
    if data == NOBODY:
        return Nobody()
    rule = _parse(data, custom or CustomColumns(), "", 1)
    if sum(1 for _ in conditions(rule)) > MAX_CONDITIONS:
        raise RuleRefused("", f"has more than {MAX_CONDITIONS} conditions")
    return rule


def conditions(rule: Rule) -> Iterator[Condition]:
    """Every condition of a rule, in the order they are written; not those of the segments it refers to."""
    if isinstance(rule, AllOf | AnyOf):
        for part in rule.parts:
            yield from conditions(part)
    elif isinstance(rule, Not):
        yield from conditions(rule.part)
    elif not isinstance(rule, Nobody):
        yield rule


def every_condition(rule: Rule) -> Iterator[Condition]:
    """Every condition, with those of the segments referred to."""
    for part in conditions(rule):
        yield part
        if isinstance(part, InSegment) and part.rule is not None:
            yield from every_condition(part.rule)


def comparisons(part: Condition) -> tuple[Compare, ...]:
    """What a condition compares: of the customer, or of the rows that it counts."""
    if isinstance(part, Compare):
        return (part,)
    return part.where if isinstance(part, Tallied) else ()


def replaced(rule: Rule, by: dict[InSegment, InSegment]) -> Rule:
    """The rule with its references to segments replaced."""
    if isinstance(rule, AllOf | AnyOf):
        return replace(rule, parts=tuple(replaced(part, by) for part in rule.parts))
    if isinstance(rule, Not):
        return Not(replaced(rule.part, by))
    return by.get(rule, rule) if isinstance(rule, InSegment) else rule


def _parse(data: Any, custom: CustomColumns, place: str, depth: int) -> Rule:
    if depth > MAX_DEPTH:
        raise RuleRefused(place, f"is nested more than {MAX_DEPTH} deep")
    if not isinstance(data, dict):
        raise RuleRefused(place, "must be an object")
    if "field" in data:
        return _condition(data, custom, place)
    if len(data) != 1 or not data.keys() <= {"all", "any", "not"}:
        raise RuleRefused(place, 'must have exactly one of "all", "any" and "not", or a "field"')
    ((word, inner),) = data.items()
    if word == "not":
        return Not(_parse(inner, custom, _at(place, "not"), depth + 1))
    parts = _parts(inner, custom, _at(place, word), depth)
    return AllOf(parts) if word == "all" else AnyOf(parts)


def _parts(data: Any, custom: CustomColumns, place: str, depth: int) -> tuple[Rule, ...]:
    if not isinstance(data, list):
        raise RuleRefused(place, "must be a list")
    if not data:
        raise RuleRefused(place, "needs at least one condition")
    if len(data) > MAX_CONDITIONS:
        raise RuleRefused(place, f"has more than {MAX_CONDITIONS} parts")
    return tuple(_parse(part, custom, f"{place}[{index}]", depth + 1) for index, part in enumerate(data))


def _at(place: str, word: str) -> str:
    return f"{place}.{word}" if place else word


def known_field(key: object, custom: CustomColumns) -> Field | None:
    """What a rule's "field" names, or None."""
    if isinstance(key, str) and key.startswith(CUSTOM):
        return custom.get(key)
    return catalogue.field(key)


def _condition(data: dict[str, Any], custom: CustomColumns, place: str) -> Condition:
    field = known_field(data["field"], custom)
    if field is None:
        raise RuleRefused(_at(place, "field"), "is no field that is known here")
    _refuse_unknown(data, place, {"field", "op", "value", "where" if isinstance(field, Tally) else "days_of"})
    operator, value = _asked(data, field, place)
    match field, operator:
        case Column(), Comparison():
            return Compare(field, operator, value, _days_of(data, operator, place))
        case Tally(), Amount():
            amount, days = value
            return Tallied(field, operator, amount, days, _where(data.get("where", []), field, _at(place, "where")))
        case OtherSegment(), _:
            return InSegment(operator, value)
    raise TypeError(f"{field.key} has an operator that does not fit it: {operator.key}")


def _refuse_unknown(data: dict[str, Any], place: str, known: set[str]) -> None:
    if unknown := sorted(str(key) for key in data.keys() - known):
        raise RuleRefused(_at(place, unknown[0]), "is not part of a condition")


def _asked(data: dict[str, Any], field: Field, place: str) -> tuple[Operator, Any]:
    operator = field.operator(data.get("op"))
    if operator is None:
        raise RuleRefused(_at(place, "op"), f"must be one of {', '.join(known.key for known in field.operators)}")
    try:
        return operator, READERS[operator.takes](data.get("value"), field)
    except BadValue as error:
        raise RuleRefused(_at(place, "value"), str(error)) from error


def _days_of(data: dict[str, Any], operator: Comparison, place: str) -> str:
    """Whose days a comparison goes by."""
    asked = data.get("days_of", "workspace")
    if asked not in ("workspace", CUSTOMER):
        raise RuleRefused(_at(place, "days_of"), 'must be "workspace" or "customer"')
    if "days_of" in data and not operator.by_calendar:
        raise RuleRefused(_at(place, "days_of"), "is only for comparisons with days of the calendar")
    return CUSTOMER if asked == CUSTOMER else ""


def _where(data: Any, tally: Tally, place: str) -> tuple[Compare, ...]:
    """What must hold of each row that is counted."""
    if not isinstance(data, list):
        raise RuleRefused(place, "must be a list")
    if len(data) > MAX_WHERE:
        raise RuleRefused(place, f"has more than {MAX_WHERE} conditions")
    return tuple(_of_row(part, tally, f"{place}[{index}]") for index, part in enumerate(data))


def _of_row(data: Any, tally: Tally, place: str) -> Compare:
    if not isinstance(data, dict) or "field" not in data:
        raise RuleRefused(place, 'must be an object with a "field"')
    column = tally.related.column(data["field"])
    if column is None:
        raise RuleRefused(_at(place, "field"), f"is nothing that “{tally.label}” can be asked about")
    _refuse_unknown(data, place, {"field", "op", "value", "days_of"})
    operator, value = _asked(data, column, place)
    if not isinstance(operator, Comparison):
        raise TypeError(f"{column.key} has an operator that does not fit it: {operator.key}")
    return Compare(column, operator, value, _days_of(data, operator, place))
