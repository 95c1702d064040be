"""Random rules: as JSON, as a person could have built them."""

from typing import Any

from hypothesis import strategies as st

from customers.segments import catalogue
from customers.segments.catalogue import Column, EventCount, Field
from customers.segments.custom import column
from customers.segments.operators import Operator, Takes
from tests.customers.segments.people import custom_fields

HOSTILE = st.one_of(
    st.sampled_from(
        [
            "'",
            "'; DROP TABLE customers_customer; --",
            "%s",
            "%(now)s",
            "{x}",
            "{wanted}",
            "{among}",
            "\\",
            "$$",
            '"',
            "100%",
        ]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20),
).filter(lambda text: bool(text.strip()))
TEXTS = st.one_of(HOSTILE, st.sampled_from(["Customer 1", "cust", "France", "germany", "vip", "web", "12", "3.5"]))
DAYS = st.integers(0, 120)
SIMPLE = {
    Takes.NOTHING: st.none(),
    Takes.TEXT: TEXTS,
    Takes.TEXTS: st.lists(TEXTS, min_size=1, max_size=3),
    Takes.NUMBER: st.one_of(st.integers(-5, 20), st.floats(-100, 100, allow_nan=False)),
    Takes.DAYS: DAYS,
    Takes.DATE: st.dates().map(str).filter(lambda day: "1900" <= day < "2200"),
    Takes.TIMES: st.fixed_dictionaries({"times": st.integers(0, 4), "days": DAYS}),
}


def values(field: Field, operator: Operator) -> st.SearchStrategy[Any]:
    if operator.takes in SIMPLE:
        return SIMPLE[operator.takes]
    choices = isinstance(field, Column) and [value for value, _ in field.choices]
    one = st.sampled_from(choices or ["1", "2"])
    return one if operator.takes is Takes.CHOICE else st.lists(one, min_size=1, max_size=3)


FIELDS = [*catalogue.COLUMNS, *(field for field in catalogue.EVENT_COUNTS if field.kind in ("usage", "order.placed"))]
ATTRIBUTES = st.one_of(st.sampled_from(["size", "plan"]), HOSTILE).map(lambda key: catalogue.field(f"attributes.{key}"))


CUSTOM = [column(field) for field in custom_fields()]


@st.composite
def conditions(draw: st.DrawFn, custom: bool) -> dict[str, Any]:
    own = [st.sampled_from(CUSTOM)] if custom else []
    field = draw(st.one_of(st.sampled_from(FIELDS), ATTRIBUTES.filter(lambda field: field is not None), *own))
    assert isinstance(field, Column | EventCount)
    operator = draw(st.sampled_from(list(field.operators)))
    return {"field": field.key, "op": operator.key, "value": draw(values(field, operator))}


def _rules(custom: bool) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        conditions(custom),
        lambda parts: st.one_of(
            st.lists(parts, min_size=1, max_size=3).map(lambda inner: {"all": inner}),
            st.lists(parts, min_size=1, max_size=3).map(lambda inner: {"any": inner}),
            parts.map(lambda inner: {"not": inner}),
        ),
        max_leaves=6,
    )


#: Rules over what every company has, and those over the custom fields of `people.custom_fields` too.
RULES, RULES_WITH_CUSTOM = _rules(custom=False), _rules(custom=True)
