"""Reading rules: what is understood, and where a refusal points."""

from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from customers.models import Segment
from customers.segments import catalogue, references
from customers.segments.rules import MAX_DEPTH, AllOf, Compare, RuleRefused, parse
from tests.customers.segments.strategies import RULES

ORDERS = {"field": "orders", "op": "at_least", "value": 2}

USED = {"field": "events.usage", "op": "at_least", "value": {"times": 1, "days": 7}}


def test_it_works() -> None:
    rule = parse({"all": [ORDERS, {"field": "last_order_at", "op": "more_than_days_ago", "value": 60}]})
    assert isinstance(rule, AllOf)
    first = rule.parts[0]
    assert isinstance(first, Compare)
    assert (first.column.key, first.operator.key, first.value) == ("orders", "at_least", 2)


def nested(depth: int) -> dict[str, Any]:
    return ORDERS if depth == 0 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (None, "rule"),
        ([], "rule"),
        ({}, "rule"),
        ("DROP TABLE", "rule"),
        ({"all": []}, "all"),
        ({"all": {}}, "all"),
        ({"any": [ORDERS, 3]}, "any[1]"),
        ({"all": [ORDERS], "any": [ORDERS]}, "rule"),
        ({"some": [ORDERS]}, "rule"),
        ({"not": [ORDERS]}, "not"),
        ({"all": [ORDERS, {"not": {"any": [{**ORDERS, "value": "2"}]}}]}, "all[1].not.any[0].value"),
        ({**ORDERS, "extra": 1}, "extra"),
        ({"field": "passwords", "op": "is", "value": "x"}, "field"),
        ({"field": 7, "op": "is", "value": "x"}, "field"),
        ({"field": ["orders"], "op": "is", "value": "x"}, "field"),
        ({"field": "attributes.", "op": "is", "value": "x"}, "field"),
        ({"field": "attributes." + "k" * 101, "op": "is", "value": "x"}, "field"),
        ({"field": "attributes.a\0b", "op": "is", "value": "x"}, "field"),
        ({"field": "events.unheard_of", "op": "at_least", "value": {"times": 1, "days": 1}}, "field"),
        ({"field": "events.segment.entered", "op": "at_least", "value": {"times": 1, "days": 1}}, "field"),
        ({"field": "orders", "op": "contains", "value": "x"}, "op"),
        ({"field": "orders", "value": 2}, "op"),
        ({"field": "orders", "op": {"at_least": 1}, "value": 2}, "op"),
        ({"field": "orders", "op": "at_least"}, "value"),
        ({"field": "orders", "op": "at_least", "value": True}, "value"),
        ({"field": "orders", "op": "at_least", "value": float("nan")}, "value"),
        ({"field": "orders", "op": "at_least", "value": float("inf")}, "value"),
        ({"field": "orders", "op": "at_least", "value": 10**16}, "value"),
        ({"field": "nps_score", "op": "is_known", "value": 3}, "value"),
        ({"field": "last_order_at", "op": "within_days", "value": -1}, "value"),
        ({"field": "last_order_at", "op": "within_days", "value": 1.5}, "value"),
        ({"field": "last_order_at", "op": "within_days", "value": 36_501}, "value"),
        ({"field": "last_order_at", "op": "before", "value": "yesterday"}, "value"),
        ({"field": "last_order_at", "op": "before", "value": "0001-01-01"}, "value"),
        ({"field": "last_order_at", "op": "before", "value": 20260101}, "value"),
        ({"field": "name", "op": "is", "value": "  "}, "value"),
        ({"field": "name", "op": "is", "value": "a\0b"}, "value"),
        ({"field": "name", "op": "is", "value": "\ud800"}, "value"),
        ({"field": "name", "op": "is", "value": "x" * 201}, "value"),
        ({"field": "name", "op": "is_any_of", "value": []}, "value"),
        ({"field": "name", "op": "is_any_of", "value": ["x"] * 101}, "value"),
        ({"field": "name", "op": "is_any_of", "value": "x"}, "value"),
        ({"field": "stage", "op": "is", "value": "gone"}, "value"),
        ({"field": "stage", "op": "is", "value": ["lost"]}, "value"),
        ({"field": "stage", "op": "is_any_of", "value": ["lost", "gone"]}, "value"),
        ({"field": "owner", "op": "is", "value": "1 OR 1=1"}, "value"),
        ({"field": "segment", "op": "is_in", "value": "1"}, "value"),
        ({"field": "events.usage", "op": "at_least", "value": 3}, "value"),
        ({"field": "events.usage", "op": "at_least", "value": {"days": 3}}, "value"),
        ({"field": "order_total", "op": "at_least", "value": {"times": 3, "days": 3}}, "value"),
        ({**ORDERS, "where": []}, "where"),
        ({**USED, "where": {}}, "where"),
        ({**USED, "where": [3]}, "where[0]"),
        ({**USED, "where": [{"field": "amount", "op": "at_least", "value": 3}]}, "where[0].field"),
        ({**USED, "where": [{"field": "payload.", "op": "is", "value": "x"}]}, "where[0].field"),
        ({**USED, "where": [{"field": "payload.plan", "op": "is", "value": 3}]}, "where[0].value"),
        ({**USED, "where": [{"field": "payload.plan", "op": "is", "value": "x", "where": []}]}, "where[0].where"),
        ({**USED, "where": [{"field": "payload.plan", "op": "is", "value": "x"}] * 11}, "where"),
        ({"field": "events.usage", "op": "at_least", "value": {"times": 3, "days": 1, "kind": "x"}}, "value"),
        ({"all": [ORDERS] * 201}, "all"),
        ({"all": [{"any": [ORDERS] * 150}, {"any": [ORDERS] * 150}]}, "rule"),
        (nested(MAX_DEPTH), ".".join(["not"] * MAX_DEPTH)),
    ],
)
def test_a_refusal_names_the_place(rule: Any, place: str) -> None:
    with pytest.raises(RuleRefused) as refusal:
        parse(rule)
    assert str(refusal.value).startswith(f"{place}: ")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3),
        st.dictionaries(
            st.sampled_from(["all", "any", "not", "field", "op", "value", "orders", "x"]), parts, max_size=3
        ),
    ),
    max_leaves=12,
)


@tries(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(JSON, RULES))
def test_anything_is_read_or_refused(data: Any) -> None:
    with suppress(RuleRefused):
        parse(data)


@pytest.mark.django_db
class TestReferences:
    def segment(self, name: str, *rules: Any) -> Segment:
        return Segment.objects.create(name=name, rule={"all": list(rules) or [ORDERS]})

    def is_in(self, segment: Segment) -> dict[str, Any]:
        return {"field": "segment", "op": "is_in", "value": segment.id}

    def test_a_circle_is_refused(self) -> None:
        first = self.segment("First")
        second = self.segment("Second", self.is_in(first))
        third = self.segment("Third", {"not": self.is_in(second)})
        references.read(third.rule, third.id)
        with pytest.raises(RuleRefused, match="refers back"):
            references.read(self.is_in(third), first.id)
        with pytest.raises(RuleRefused, match="refers back"):
            references.read(self.is_in(first), first.id)

    def test_a_missing_segment_is_refused(self) -> None:
        with pytest.raises(RuleRefused, match="no longer there"):
            references.read({"field": "segment", "op": "is_in", "value": 123_456})

    def test_references_cannot_multiply_without_bound(self) -> None:
        last = self.segment("0", *[ORDERS] * 100)
        for number in range(1, 3):
            last = self.segment(str(number), self.is_in(last), self.is_in(last))
        with pytest.raises(RuleRefused, match="together"):
            references.read(last.rule, last.id)

    def test_those_who_refer_are_found_through_others(self) -> None:
        first = self.segment("First")
        second = self.segment("Second", self.is_in(first))
        third = self.segment("Third", {"any": [{"not": self.is_in(second)}]})
        self.segment("Alone")
        assert references.referring_to(first.id, references.stored_rules()) == {second.id, third.id}


def test_the_page_lists_every_field_and_operator() -> None:
    page = (settings.BASE_DIR / "docs" / "segments.md").read_text()
    for field in (*catalogue.COLUMNS, catalogue.SEGMENT):
        operators = ", ".join(f"`{operator.key}`" for operator in field.operators)
        assert f"| `{field.key}` | {field.label} | {operators} |" in page
