"""Why a customer is in or out: each condition of the rule, met or not, with what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from customers.segments import compiling, tallying, wording
from customers.segments.comparing import locally
from customers.segments.for_dates import day_of
from customers.segments.operators import Moment, Sql, bound, join, listed
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
    Tallied,
    every_condition,
)
from customers.segments.wording import Words


@dataclass(frozen=True)
class Finding:
    """A condition or group in words, whether the customer meets it, and what was found: "it is 3"."""

    text: str
    met: bool
    found: str = ""
    parts: tuple["Finding", ...] = ()


@dataclass(frozen=True)
class Answer:
    met: bool
    value: Any


def explain(rule: Rule, customer_id: int, moment: Moment, words: Words) -> Finding | None:
    """The rule, condition by condition, for one customer. None where the customer has no facts yet.

    One query, whatever the rule.
    """
    asked = list(dict.fromkeys(every_condition(rule)))
    columns = join((column for part in asked for column in _columns(part, moment, customer_id)), ", ")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns.text} FROM {compiling.tables(rule)} WHERE f.customer_id = %s",  # noqa: S608
            (*columns.params, customer_id),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    answers = {part: Answer(row[2 * index], row[2 * index + 1]) for index, part in enumerate(asked)}
    return _finding(rule, answers, moment, words)


def _columns(part: Condition, moment: Moment, customer_id: int) -> tuple[Sql, Sql]:
    test = compiling.condition(part, moment, listed([customer_id]))
    return Sql(f"COALESCE(({test.text}), FALSE)", test.params), _found(part, moment)


def _found(part: Condition, moment: Moment) -> Sql:
    if isinstance(part, Compare):
        x = bound(part.column.sql, moment)
        return day_of(x, locally(part, moment)) if part.days_of and part.column.unit == "instant" else x
    return tallying.amount(part, moment) if isinstance(part, Tallied) else Sql("NULL")


def _finding(rule: Rule, answers: Mapping[Condition, Answer], moment: Moment, words: Words) -> Finding:
    if isinstance(rule, AllOf | AnyOf | Not):
        parts = tuple(_finding(part, answers, moment, words) for part in wording.parts_of(rule))
        return Finding(wording.heading(rule), _met(rule, parts), parts=parts)
    if isinstance(rule, Nobody):
        return Finding(wording.describe(rule, words).text, met=False)
    answer = answers[rule]
    inner: tuple[Finding, ...] = ()
    if isinstance(rule, InSegment) and rule.rule is not None:
        inner = (_finding(rule.rule, answers, moment, words),)
    return Finding(wording.phrase(rule, words), answer.met, _in_words(rule, answer.value, moment, words), inner)


def _met(group: AllOf | AnyOf | Not, parts: tuple[Finding, ...]) -> bool:
    met = [part.met for part in parts]
    if isinstance(group, Not):
        return not any(met) if isinstance(group.part, AnyOf) else not all(met)
    return all(met) if isinstance(group, AllOf) else any(met)


def _in_words(part: Condition, value: Any, moment: Moment, words: Words) -> str:
    if isinstance(part, InSegment | ByHand):
        return ""
    if isinstance(part, Tallied):
        return "never" if value == 0 and part.tally.happens else wording.amount(part, value, words)
    if value is None:
        return "not known"
    return wording.shown(part.column, value, words) + _distance(value, moment)


def _distance(value: Any, moment: Moment) -> str:
    if not isinstance(value, datetime):
        return ""
    whole_days = (value - moment.now).days if value > moment.now else (moment.now - value).days
    return f", in {wording.days(whole_days)}" if value > moment.now else f", {wording.days(whole_days)} ago"
