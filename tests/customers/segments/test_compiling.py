"""Rules as SQL: they pick whom their words say, and what was typed stays data."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from customers.segments import compiling, rules
from customers.segments.operators import Moment, Sql
from tests.customers.segments import oracle
from tests.customers.segments.people import populated
from tests.customers.segments.strategies import HOSTILE, RULES_WITH_CUSTOM

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 15, 9, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
MOMENT = Moment(NOW, ZONE)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def picked(rule: object, among: list[int] | None = None) -> set[int]:
    query = compiling.members(rules.parse(rule), MOMENT, among)
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.params)
        return {customer_id for (customer_id,) in cursor.fetchall()}


@settings(max_examples=10, deadline=None, suppress_health_check=SLOW)
@given(seed=st.integers(0, 2**32), written=st.lists(RULES_WITH_CUSTOM, min_size=12, max_size=12))
def test_a_rule_picks_whom_its_words_say(seed: int, written: list[dict[str, object]]) -> None:
    with transaction.atomic():
        with time_machine.travel(NOW, tick=False):
            world = populated(seed, NOW)
        customers = list(Customer.objects.select_related("facts"))
        some = [who.id for who in world.customers[:3]]
        for rule in written:
            expected = {who.id for who in customers if oracle.holds(rule, who, NOW, ZONE)}
            assert picked(rule) == expected, rule
            assert picked(rule, some) == expected.intersection(some), rule
        transaction.set_rollback(True)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(text=HOSTILE)
@example("'; DROP TABLE customers_customer; --")
@example("%s) OR TRUE --")
def test_what_was_typed_stays_data(text: str) -> None:
    """The SQL is the same whatever was typed, as a value and as the key of a custom attribute."""

    def compiled(value: str) -> Sql:
        rule = {
            "all": [
                {"field": "name", "op": "is", "value": value},
                {"field": "country", "op": "is_any_of", "value": [value]},
                {"field": f"attributes.{value}", "op": "contains", "value": value},
                {"field": f"attributes.{value}", "op": "is_any_of", "value": [value]},
                {"field": "tags", "op": "has", "value": value},
            ]
        }
        return compiling.members(rules.parse(rule), MOMENT)

    plain, hostile = compiled("plain"), compiled(text)
    assert hostile.text == plain.text
    assert hostile.params == tuple(_swapped(param, text) for param in plain.params)
    with connection.cursor() as cursor:
        cursor.execute(hostile.text, hostile.params)


def _swapped(param: object, text: str) -> object:
    return [text.lower()] if isinstance(param, list) else text


@pytest.mark.parametrize("text", ["a%b", "a_b", "%", "_", "\\"])
def test_wildcards_are_plain_characters(text: str) -> None:
    with time_machine.travel(NOW, tick=False):
        world = populated(1, NOW)
        world.customers[0].name = f"x{text}y"
        world.customers[0].save()
    assert picked({"field": "name", "op": "contains", "value": text}) == {world.customers[0].id}


def test_not_takes_in_those_of_whom_nothing_is_known() -> None:
    with time_machine.travel(NOW, tick=False):
        populated(1, NOW, happenings=10)
    late = {"field": "last_order_at", "op": "more_than_days_ago", "value": 10}
    everybody = picked({"field": "orders", "op": "at_least", "value": 0})
    assert picked({"not": late}) == everybody - picked(late)
    assert picked({"not": late}) >= picked({"field": "last_order_at", "op": "is_unknown"}) != set()


def test_only_the_tables_asked_about_are_read() -> None:
    facts_only = compiling.members(rules.parse({"field": "orders", "op": "at_least", "value": 2}), MOMENT)
    assert "customers_customer " not in facts_only.text
    assert "customers_consent" not in facts_only.text
