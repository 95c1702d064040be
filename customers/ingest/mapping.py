"""A mapping: how a kind of file is written, and what its columns become. Kept as JSON (`Import.spec`).

    {"kind": "order_lines", "delimiter": "comma", "encoding": "utf-8", "columns": [],
     "dates": "iso", "decimal": "point", "whole_numbers": ["CustomerID"], "first_of": ["Associated Company IDs"],
     "policy": "both", "match": "customer_id", "empties": false,
     "fields": {"order_id": {"column": "InvoiceNo"}, "currency": {"text": "GBP"},
                "email": {"text": "c{CustomerID}@example.test"}},
     "attributes": {"plan": {"column": "Plan"}},
     "states": [{"state": "cancelled", "column": "InvoiceNo", "test": "starts with", "value": "C"}],
     "skips": [{"reason": "It is deleted there.", "column": "IsDeleted", "test": "is", "value": "true"}],
     "free": [{"column": "Status", "test": "is", "value": "trialing"}]}

A field's text may name columns in braces. `columns` names those of a file without a header line; `whole_numbers` are
columns whose ids were written as decimals ("17850.0"), `first_of` columns of several ids with semicolons between, of
which the first counts; `policy` is one of customers/ingest/policies.py; `match` names the field that tells customers
apart; with `empties` an empty cell empties its field; the first of `states` that holds says what an order's state is;
a row for which one of `skips` holds is refused with its reason; a subscription for which one of `free` holds has a
discount of 100 %.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from customers.ingest import policies
from customers.ingest.field import Field, Reads
from customers.ingest.fields import BY_ID, FIELDS, KEEPING, WITH_ORDERS, targets
from customers.ingest.reader import DELIMITERS, ENCODINGS, Layout
from customers.models import Order
from customers.models.imports import ImportKind

DATES = {
    "iso": "2011-12-31",
    "dmy": "31.12.2011 or 31/12/2011",
    "mdy": "12/31/2011",
    "ymd": "20111231",
}
DECIMALS = {"point": "1234.50", "comma": "1234,50"}
TESTS = ("starts with", "is", "is not empty")
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class MappingRefused(Exception):
    """The mapping cannot be used. `problems` says why, by the name of the field concerned ("" for the whole)."""

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems.values()))


@dataclass(frozen=True)
class Source:
    """Where a field's values come from: a column, or a text that may name columns in braces."""

    column: str = ""
    text: str = ""

    def parts(self) -> Iterator[tuple[str, bool]]:
        """The pieces of the value in order, each with whether it is a column's name."""
        if self.column:
            yield self.column, True
            return
        for place, piece in enumerate(PLACEHOLDER.split(self.text)):
            if piece:
                yield piece, bool(place % 2)

    def columns(self) -> set[str]:
        return {piece for piece, is_column in self.parts() if is_column}


@dataclass(frozen=True)
class StateRule:
    """An order has `state` where the column's value passes the test."""

    state: str
    column: str
    test: str
    value: str = ""


@dataclass(frozen=True)
class SkipRule:
    """A row is none to bring in, for this reason, where the column's value passes the test."""

    reason: str
    column: str
    test: str
    value: str = ""


@dataclass(frozen=True)
class FreeRule:
    """A subscription costs nothing where the column's value passes the test, such as one on trial."""

    column: str
    test: str
    value: str = ""


@dataclass(frozen=True)
class Mapping:
    kind: str
    layout: Layout = field(default_factory=Layout)
    dates: str = "iso"
    decimal: str = "point"
    whole_numbers: tuple[str, ...] = ()
    fields: dict[str, Source] = field(default_factory=dict)
    attributes: dict[str, Source] = field(default_factory=dict)
    states: tuple[StateRule, ...] = ()
    skips: tuple[SkipRule, ...] = ()
    free: tuple[FreeRule, ...] = ()
    first_of: tuple[str, ...] = ()
    policy: str = policies.BOTH
    match: str = BY_ID
    empties: bool = False

    def needs(self, field: Field) -> bool:
        """Whether a row cannot do without the field: one of two that say the same is enough."""
        if self.kind == ImportKind.SUBSCRIPTIONS and field.name == "amount":
            return "unit_amount" not in self.fields
        if self.match != BY_ID and field.name in (BY_ID, self.match):
            return field.name == self.match
        return field.required

    def columns(self) -> set[str]:
        """The names of the columns it reads."""
        sources = [*self.fields.values(), *self.attributes.values()]
        rules: list[StateRule | SkipRule | FreeRule] = [*self.states, *self.skips, *self.free]
        return {rule.column for rule in rules}.union(*(source.columns() for source in sources))

    def unused(self, columns: Iterable[str]) -> list[str]:
        """Those of a file's columns that nothing reads."""
        read = self.columns()
        return [name for name in columns if name not in read]

    def to_json(self) -> dict[str, Any]:
        flat = asdict(self)
        flat.update(flat.pop("layout"))
        for name in ("fields", "attributes"):
            flat[name] = {key: {k: v for k, v in source.items() if v} for key, source in flat[name].items()}
        return flat


def from_json(data: Any) -> Mapping:
    """The mapping kept as `data`. Raises MappingRefused where it is none: unknown keys are refused, not ignored."""
    try:
        given = dict(data)
        layout = Layout(
            given.pop("delimiter", "comma"), given.pop("encoding", "utf-8"), tuple(given.pop("columns", ()))
        )
        mapping = Mapping(
            kind=given.pop("kind"),
            layout=layout,
            dates=given.pop("dates", "iso"),
            decimal=given.pop("decimal", "point"),
            whole_numbers=tuple(given.pop("whole_numbers", ())),
            fields={name: _source(source) for name, source in given.pop("fields", {}).items()},
            attributes={name: _source(source) for name, source in given.pop("attributes", {}).items()},
            states=tuple(StateRule(**rule) for rule in given.pop("states", ())),
            skips=tuple(SkipRule(**rule) for rule in given.pop("skips", ())),
            free=tuple(FreeRule(**rule) for rule in given.pop("free", ())),
            first_of=tuple(given.pop("first_of", ())),
            policy=given.pop("policy", policies.BOTH),
            match=given.pop("match", BY_ID),
            empties=bool(given.pop("empties", False)),
        )
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise MappingRefused({"": f"This is no mapping: {error}."}) from error
    if given:
        raise MappingRefused({"": f"A mapping has no part named {', '.join(sorted(given))}."})
    _check_words(mapping)
    return mapping


def _source(data: dict[str, Any]) -> Source:
    if not data or not all(isinstance(text, str) for text in data.values()):
        raise TypeError(f"a field comes from a column or a text, and not from {data}")
    return Source(**data)


def _check_words(mapping: Mapping) -> None:
    choices: dict[str, tuple[str, Collection[str]]] = {
        "kind": (mapping.kind, FIELDS),
        "delimiter": (mapping.layout.delimiter, DELIMITERS),
        "encoding": (mapping.layout.encoding, ENCODINGS),
        "dates": (mapping.dates, DATES),
        "decimal": (mapping.decimal, DECIMALS),
        "policy": (mapping.policy, policies.POLICIES),
    }
    problems = {
        name: f"{name} is {chosen!r} and must be one of {', '.join(words)}."
        for name, (chosen, words) in choices.items()
        if not isinstance(chosen, str) or chosen not in words
    }
    for rule in mapping.states:
        if rule.test not in TESTS or rule.state not in Order.State.values:
            problems["states"] = f"A rule for the order's state is unknown: {rule.state} where it {rule.test}."
    for skip in mapping.skips:
        if skip.test not in TESTS or not skip.reason:
            problems["skips"] = f"A rule for rows to leave out is unknown, or gives no reason: where it {skip.test}."
    if any(free.test not in TESTS for free in mapping.free):
        problems["free"] = "A rule for what costs nothing is unknown."
    if problems:
        raise MappingRefused(problems)


def check(mapping: Mapping, columns: tuple[str, ...]) -> None:
    """Raise MappingRefused where the mapping does not fit a file with these columns or lacks what its kind needs."""
    known = {field.name: field for field in targets(mapping.kind)}
    problems = {
        name: f"{ImportKind(mapping.kind).label} have no field {name}." for name in mapping.fields.keys() - known
    }
    if mapping.match != BY_ID and mapping.match not in matches(mapping.kind, known.values()):
        problems["match"] = f"{ImportKind(mapping.kind).label} cannot be told apart by {mapping.match}."
    problems |= _out_of_place(mapping) | _now_custom(mapping, known.values())
    for name, wanted in known.items():
        if mapping.needs(wanted) and name not in mapping.fields:
            problems[name] = f"{wanted.label} is needed: choose its column{_or_without(mapping, known.values(), name)}."
    for name, source in [*mapping.fields.items(), *mapping.attributes.items()]:
        if missing := sorted(source.columns() - set(columns)):
            problems[name] = _missing(missing, columns)
    for part, rules in (("states", mapping.states), ("skips", mapping.skips), ("free", mapping.free)):
        if missing := sorted({rule.column for rule in rules} - set(columns)):
            problems[part] = _missing(missing, columns)
    if problems:
        raise MappingRefused(problems)


def _or_without(mapping: Mapping, known: Iterable[Field], name: str) -> str:
    """How a file does without the customers' ids, where it has something else that says who they are."""
    others = matches(mapping.kind, known) if name == BY_ID else {}
    ready = [label for field, label in others.items() if field != BY_ID and field in mapping.fields]
    return f", or say below that customers are told apart by {ready[0]}" if ready else ""


def matches(kind: str, among: Iterable[Field]) -> dict[str, str]:
    """What can tell the customers of a kind of file apart, of its fields: their names, with their labels."""
    fields = {field.name: field for field in among}
    names = [name for name in (BY_ID, "email", "phone") if name in fields]
    names += [name for name, field in fields.items() if field.custom_key and field.reads in (Reads.LINE, Reads.LINK)]
    return {name: fields[name].label for name in names if kind != ImportKind.CONTACTS or name == BY_ID}


def _out_of_place(mapping: Mapping) -> dict[str, str]:
    """Parts of a mapping that its kind of file has no use for."""
    problems = {}
    if mapping.states and mapping.kind not in WITH_ORDERS:
        problems["states"] = "Only orders have rules for their state."
    if mapping.attributes and mapping.kind not in KEEPING:
        problems[""] = "Only files of customers and of events keep other columns."
    return problems


def _now_custom(mapping: Mapping, known: Iterable[Field]) -> dict[str, str]:
    """Columns kept as they are that have become a custom field since, of a type of its own."""
    defined = {field.custom_key: field.label for field in known if field.custom_key}
    told = [
        f"“{name}” is the custom field {defined[name]} now: choose its column there."
        for name in mapping.attributes
        if name in defined
    ]
    return {"": " ".join(told)} if told else {}


def _missing(missing: list[str], columns: tuple[str, ...]) -> str:
    return f"The file has no column {', '.join(missing)}; it has {', '.join(columns)}."
