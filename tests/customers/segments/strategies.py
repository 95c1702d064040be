"""Random rules: as JSON, as a person could have built them."""

from typing import Any

from hypothesis import strategies as st

from customers.segments import catalogue
from customers.segments.custom import column
from customers.segments.fields import Column, Field, Tally
from customers.segments.operators import Comparison, Operator, Takes
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
KNOWN = ["Customer 1", "cust", "A1", "tea", "Plan", "x", "France", "germany", "vip", "web", "12", "3.5"]
TEXTS = st.one_of(HOSTILE, st.sampled_from(KNOWN))
DAYS = st.integers(0, 120)
SIMPLE = {
    Takes.NOTHING: st.none(),
    Takes.TEXT: TEXTS,
    Takes.TEXTS: st.lists(TEXTS, min_size=1, max_size=3),
    Takes.NUMBER: st.one_of(st.integers(-5, 20), st.floats(-100, 100, allow_nan=False)),
    Takes.DAYS: DAYS,
    Takes.DATE: st.dates().map(str).filter(lambda day: "1900" <= day < "2200"),
    Takes.TIMES: st.fixed_dictionaries({"times": st.integers(0, 4)}, optional={"days": DAYS}),
    Takes.TOTAL: st.fixed_dictionaries(
        {"total": st.sampled_from([0, 1, 50, -20, 400.5])}, optional={"days": st.one_of(DAYS, st.none())}
    ),
}


def values(field: Field, operator: Operator) -> st.SearchStrategy[Any]:
    if operator.takes in SIMPLE:
        return SIMPLE[operator.takes]
    choices = isinstance(field, Column) and [value for value, _ in field.choices]
    one = st.sampled_from(choices or ["1", "2"])
    return one if operator.takes is Takes.CHOICE else st.lists(one, min_size=1, max_size=3)


#: Kinds that happen in the world of the tests; of the others there would be none to count.
HAPPENING = ("usage", "order.placed", "survey.answered", "message.clicked", "message.opened")
TALLIES = [tally for tally in catalogue.tallies() if tally.key.removeprefix("events.") in (*HAPPENING, tally.key)]
FIELDS = [*catalogue.COLUMNS, *TALLIES]
ATTRIBUTES = st.one_of(st.sampled_from(["size", "plan", "day", "flag"]), HOSTILE).map(
    lambda key: catalogue.field(f"attributes.{key}")
)


CUSTOM = [column(field) for field in custom_fields()]


@st.composite
def conditions(draw: st.DrawFn, custom: bool) -> dict[str, Any]:
    own = [st.sampled_from(CUSTOM)] if custom else []
    field = draw(st.one_of(st.sampled_from(FIELDS), ATTRIBUTES.filter(lambda field: field is not None), *own))
    assert isinstance(field, Column | Tally)
    written = draw(asked(field))
    if isinstance(field, Tally):
        written["where"] = draw(st.lists(details(field), max_size=2))
    return written


@st.composite
def asked(draw: st.DrawFn, field: Field) -> dict[str, Any]:
    operator = draw(st.sampled_from(list(field.operators)))
    written = {"field": field.key, "op": operator.key, "value": draw(values(field, operator))}
    if isinstance(operator, Comparison) and operator.by_calendar and draw(st.booleans()):
        written["days_of"] = draw(st.sampled_from(["customer", "customer", "workspace"]))
    return written


@st.composite
def details(draw: st.DrawFn, tally: Tally) -> dict[str, Any]:
    """A condition on the rows that a tally counts."""
    names = ["score", "machine", "plan"] if tally.related.payload else []
    inside = [tally.related.column(f"payload.{name}") for name in names]
    one = draw(st.sampled_from([*tally.related.columns, *inside]))
    assert one is not None
    return draw(asked(one))


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
