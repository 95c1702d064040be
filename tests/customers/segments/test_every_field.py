"""Every field with every operator that it takes, of the customer and of the rows that are counted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection

from customers.models import Customer, CustomField
from customers.segments import catalogue, compiling, explain, rules
from customers.segments.custom import CustomColumns
from customers.segments.explain import Finding
from customers.segments.fields import Column, Field, Tally
from customers.segments.operators import Comparison, Moment, Operator, Sql, Takes, join
from customers.segments.rules import Rule
from customers.segments.wording import Words
from tests.customers.facts.world import DAY
from tests.customers.segments import oracle
from tests.customers.segments.people import custom_fields, populated

NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
LATER = NOW + 3 * DAY
ZONE = ZoneInfo("Europe/Berlin")
#: Kinds of event that stand for the others: they differ in nothing but the name, and in what machines do.
EVENTS = ("events.usage", "events.message.opened")
VALUES = {
    Takes.NOTHING: None,
    Takes.TEXT: "tea",
    Takes.TEXTS: ["tea", "de"],
    Takes.NUMBER: 3,
    Takes.DAYS: 30,
    Takes.DATE: "2026-05-01",
    Takes.TIMES: {"times": 1, "days": 60},
    Takes.TOTAL: {"total": 10, "days": 60},
}


def value(field: Field, operator: Operator) -> Any:
    if operator.takes in VALUES:
        return VALUES[operator.takes]
    first = field.choices[0][0] if isinstance(field, Column) and field.choices else "1"
    return first if operator.takes is Takes.CHOICE else [first]


def asked(field: Field) -> list[dict[str, Any]]:
    """All that can be asked of a field."""
    found = []
    for operator in field.operators:
        found.append({"field": field.key, "op": operator.key, "value": value(field, operator)})
        if isinstance(operator, Comparison) and operator.by_calendar:
            found.append(found[-1] | {"days_of": "customer"})
    return found


def counted(tally: Tally) -> list[list[dict[str, Any]]]:
    """All that can be asked of rows, of one thing about them at a time."""
    once = asked(tally)[0]
    inside = [tally.related.column("payload.plan")] if tally.related.payload else []
    columns = [column for column in (*tally.related.columns, *inside) if column]
    return [asked(tally), *([once | {"where": [one]} for one in asked(column)] for column in columns)]


def every_condition() -> list[list[dict[str, Any]]]:
    """By what they ask about."""
    columns = [*catalogue.COLUMNS, catalogue.field("attributes.day"), *CustomColumns().columns.values()]
    tallies = [each for each in catalogue.tallies() if not each.key.startswith("events.") or each.key in EVENTS]
    return [asked(field) for field in columns if field] + [some for tally in tallies for some in counted(tally)]


def some_of_each() -> list[Rule]:
    """Three comparisons with each field, others with the next one, so that each comparison has its turn."""
    picked = []
    for place, conditions in enumerate(every_condition()):
        turns = {(place + turn) % len(conditions) for turn in (0, len(conditions) // 3, 2 * len(conditions) // 3)}
        picked += [rules.parse(conditions[turn]) for turn in sorted(turns)]
    return picked


@pytest.mark.django_db
def test_every_pair_compiles() -> None:
    CustomField.objects.bulk_create(custom_fields())
    pairs = [one for conditions in every_condition() for one in conditions]
    assert len(pairs) > 2_000
    for one in pairs:
        rule = rules.parse(one)
        query = compiling.members(rule, Moment(NOW, ZONE))
        assert query.text.count("%s") == len(query.params), one


def chunks(parts: list[Rule]) -> Iterator[tuple[Rule, ...]]:
    """As many at a time as one statement asks."""
    return (tuple(parts[start : start + 40]) for start in range(0, len(parts), 40))


def rows(query: Sql) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        return list(cursor.fetchall())


def held(parts: tuple[Rule, ...], moment: Moment, ids: list[int] | None) -> dict[int, tuple[bool, ...]]:
    """Which of the conditions each customer meets, in one statement."""
    tests = [compiling.condition(part, moment, ids) for part in parts]  # type: ignore[arg-type]
    told = join((Sql(f"({test.text}) IS TRUE", test.params) for test in tests), ", ")
    tables = compiling.tables(rules.AllOf(parts))
    found = rows(Sql(f"SELECT f.customer_id, {told.text} FROM {tables} ORDER BY 1", told.params))
    return {customer_id: tuple(rest) for customer_id, *rest in found if ids is None or customer_id in ids}


def crossed(parts: tuple[Rule, ...]) -> set[tuple[int, int]]:
    """Whom a look at the edges finds, by the place of the condition."""
    scans = [(at, compiling.crossing(part, NOW, Moment(LATER, ZONE))) for at, part in enumerate(parts)]
    labelled = [Sql(f"SELECT {at}, x.* FROM ({scan.text}) x", scan.params) for at, scan in scans if scan]
    return {(at, customer_id) for at, customer_id in rows(join(labelled, " UNION ALL "))} if labelled else set()


@pytest.mark.django_db
def test_every_field_with_every_operator() -> None:
    """Asked of some, each says what it says of all; and whom time alone takes across is found by the edges."""
    with time_machine.travel(NOW, tick=False):
        world = populated(3, NOW, customers=12)
    some = [who.id for who in world.customers[:5]]
    parts = some_of_each()
    assert len(parts) > 400
    moved = 0
    for few in chunks(parts):
        before, after, found = held(few, Moment(NOW, ZONE), None), held(few, Moment(LATER, ZONE), None), crossed(few)
        assert {who: before[who] for who in some} == held(few, Moment(NOW, ZONE), some)
        for who, met in before.items():
            changed = {(at, who) for at, pair in enumerate(zip(met, after[who], strict=True)) if pair[0] != pair[1]}
            assert changed <= found, [few[at] for at, _ in changed - found]
            moved += len(changed)
    assert moved > 50


@pytest.mark.django_db
def test_each_says_what_its_words_do() -> None:
    """Of each field, since rules at random have it seldom."""
    with time_machine.travel(NOW, tick=False):
        populated(3, NOW, customers=12)
    customers = list(Customer.objects.select_related("facts"))
    asked = [(one, rules.parse(one)) for conditions in every_condition() for one in conditions[:2]]
    for place in range(0, len(asked), 40):
        few = asked[place : place + 40]
        met = held(tuple(rule for _, rule in few), Moment(NOW, ZONE), None)
        for at, (one, _) in enumerate(few):
            expected = {who.pk for who in customers if oracle.holds(one, who, NOW, ZONE)}
            assert {who for who, told in met.items() if told[at]} == expected, one


@pytest.mark.django_db
def test_each_says_why_with_what_was_found() -> None:
    with time_machine.travel(NOW, tick=False):
        world = populated(3, NOW, customers=2)
    words = Words(ZONE, "EUR")
    for few in chunks(some_of_each()[::2]):
        rule = rules.AllOf(few)
        finding = explain.explain(rule, world.customers[0].id, Moment(NOW, ZONE), words)
        assert isinstance(finding, Finding)
        met = held(few, Moment(NOW, ZONE), [world.customers[0].id])[world.customers[0].id]
        assert tuple(part.met for part in finding.parts) == met
        assert all(part.text and part.found for part in finding.parts)
