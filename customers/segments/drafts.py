"""A rule while somebody builds it: rows and groups as typed, wrong or unfinished as they may be.

Each part has a path: the outermost group is `r`, its parts `r-0`, `r-1`, a part of the second group `r-1-0`. A form
sends the paths in the order of the page, and below each path what was typed there.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from customers.segments import catalogue
from customers.segments.catalogue import ATTRIBUTE, Field
from customers.segments.custom import CustomColumns
from customers.segments.operators import Operator, Takes
from customers.segments.rules import MAX_CONDITIONS, MAX_DEPTH, RuleRefused, known_field, parse

ROOT = "r"
MATCHES = {"all": "all of these", "any": "any of these", "none": "none of these", "not_all": "not all of these"}
#: Groups within groups that the page offers; a rule written elsewhere may go deeper.
OFFERED_DEPTH = 4
_PATH = re.compile(r"r(-\d{1,4})*", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


@dataclass
class Row:
    """One condition as typed."""

    path: str
    field: str = "orders"
    key: str = ""
    op: str = ""
    value: str = ""
    values: list[str] = dataclasses.field(default_factory=list)
    days: str = ""
    error: str = ""
    is_fresh: bool = False
    custom: CustomColumns = dataclasses.field(default_factory=CustomColumns, repr=False, compare=False)

    @property
    def is_group(self) -> bool:
        return False

    @property
    def asked(self) -> Field | None:
        return known_field(self.field + self.key if self.field == ATTRIBUTE else self.field, self.custom)

    @property
    def operators(self) -> list[Operator]:
        """What can be asked of the field, of a custom attribute also before its key is typed."""
        asked = self.asked or (catalogue.field(f"{ATTRIBUTE}key") if self.field == ATTRIBUTE else None)
        return list(asked.operators) if asked else []

    @property
    def operator(self) -> Operator | None:
        """The one chosen, or the first where the field has changed and no longer knows it."""
        operators = self.operators
        return next(
            (operator for operator in operators if operator.key == self.op), operators[0] if operators else None
        )

    @property
    def choices(self) -> catalogue.Choices:
        return self.asked.choices if isinstance(self.asked, catalogue.Column) else ()

    def to_rule(self) -> dict[str, Any]:
        rule: dict[str, Any] = {"field": self.asked.key if self.asked else self.field}
        if self.operator:
            rule["op"] = self.operator.key
            if self.operator.takes is not Takes.NOTHING:
                rule["value"] = self._value(self.operator.takes)
        return rule

    def _value(self, takes: Takes) -> Any:
        if takes is Takes.TEXTS:
            return [text.strip() for text in self.value.split(",") if text.strip()]
        if takes is Takes.CHOICES:
            return self.values
        if takes is Takes.TIMES:
            return {"times": _number(self.value), "days": _number(self.days)}
        return _number(self.value) if takes in (Takes.NUMBER, Takes.DAYS, Takes.SEGMENT) else self.value


@dataclass
class Group:
    """Parts, and how many of them must hold."""

    path: str
    match: str = "all"
    parts: list["Row | Group"] = dataclasses.field(default_factory=list)
    error: str = ""

    @property
    def is_group(self) -> bool:
        return True

    @property
    def is_root(self) -> bool:
        return self.path == ROOT

    @property
    def may_nest(self) -> bool:
        return self.path.count("-") < OFFERED_DEPTH - 1

    def to_rule(self) -> dict[str, Any]:
        parts = [part.to_rule() for part in self.parts]
        if self.match in ("none", "not_all"):
            return {"not": {"any" if self.match == "none" else "all": parts}}
        return {self.match: parts}

    def add_row(self) -> Row:
        row = Row(self._new_path(), is_fresh=True)
        self.parts.append(row)
        return row

    def add_group(self) -> "Group":
        """A group within, with a first row; it asks for any of its rows, as the group around it asks for all."""
        group = Group(self._new_path(), "all" if self.match == "any" else "any")
        group.add_row()
        self.parts.append(group)
        return group

    def _new_path(self) -> str:
        last = max((int(part.path.rpartition("-")[2]) for part in self.parts), default=-1)
        return f"{self.path}-{last + 1}"


def blank() -> Group:
    group = Group(ROOT)
    group.add_row()
    return group


def _number(text: str) -> Any:
    """The number typed, a comma taken for a decimal point; else the text, for the rule to refuse."""
    text = text.strip().replace(",", ".") if text.count(",") == 1 and "." not in text else text.strip()
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def from_form(data: QueryDict) -> Group:
    """What was typed. Whatever does not fit together is left out; there is always an outermost group."""
    root, custom = Group(ROOT, _match(data.get(f"{ROOT}.match", ""))), CustomColumns()
    groups = {ROOT: root}
    for node in data.getlist("node")[: 2 * MAX_CONDITIONS]:
        path, _, kind = node.partition(":")
        parent = groups.get(path.rpartition("-")[0])
        if parent is None or not _PATH.fullmatch(path) or path.count("-") >= MAX_DEPTH:
            continue
        if kind == "group":
            groups[path] = Group(path, _match(data.get(f"{path}.match", "")))
            parent.parts.append(groups[path])
        else:
            parent.parts.append(_row(path, data, custom))
    return root


def _match(text: str) -> str:
    return text if text in MATCHES else "all"


def _row(path: str, data: QueryDict, custom: CustomColumns) -> Row:
    def typed(name: str) -> str:
        return data.get(f"{path}.{name}", "")

    values = data.getlist(f"{path}.values")
    return Row(path, typed("field"), typed("key"), typed("op"), typed("value"), values, typed("days"), custom=custom)


def act(root: Group, what: str) -> None:
    """Do what a button of the builder says: `row:PATH` and `group:PATH` add to a group, `remove:PATH` takes away."""
    verb, _, path = what.partition(":")
    for group in list(_groups(root)):
        if verb == "remove":
            group.parts = [part for part in group.parts if part.path != path]
        elif group.path == path and verb == "row":
            group.add_row()
        elif group.path == path and verb == "group" and group.may_nest:
            group.add_group()


def _groups(group: Group) -> Iterator[Group]:
    yield group
    for part in group.parts:
        if isinstance(part, Group):
            yield from _groups(part)


def check(root: Group) -> bool:
    """Put beside each row and group what is wrong with it; whether nothing is."""
    fine = [_checked(part) for group in _groups(root) for part in (group, *group.parts) if part is not root]
    return all([_checked(root), *fine])


def _checked(part: Row | Group) -> bool:
    part.error = ""
    if isinstance(part, Group):
        part.error = "" if part.parts else "Add a condition here, or remove the group."
    else:
        part.error = _refusal(part)
    return not part.error


def finished(root: Group) -> tuple[Group | None, int]:
    """The draft without what is wrong or not filled in yet, and how many conditions that leaves out."""
    left_out = sum(bool(part.error) for group in _groups(root) for part in group.parts if isinstance(part, Row))
    return _pruned(root), left_out


def _pruned(group: Group) -> Group | None:
    parts = [_pruned(part) if isinstance(part, Group) else None if part.error else part for part in group.parts]
    kept = [part for part in parts if part is not None]
    return Group(group.path, group.match, kept) if kept else None


def _refusal(row: Row) -> str:
    try:
        parse(row.to_rule(), row.custom)
    except RuleRefused as refusal:
        return f"{_SUBJECTS.get(refusal.place, 'This')} {refusal.why}."
    return ""


_SUBJECTS = {"value": "The value", "op": "The comparison", "field": "The field"}


def from_rule(rule: Any) -> Group:
    """The rows and groups that say a stored rule."""
    custom = CustomColumns()
    root = _group(ROOT, rule, custom)
    if root is not None:
        return root
    root = Group(ROOT)
    _append(root, rule, custom)
    return root


def _group(path: str, rule: Any, custom: CustomColumns) -> Group | None:
    if "field" in rule:
        return None
    ((word, inner),) = rule.items()
    if word != "not":
        return _filled(Group(path, word), inner, custom)
    if "all" in inner or "any" in inner:
        ((match, parts),) = inner.items()
        return _filled(Group(path, "none" if match == "any" else "not_all"), parts, custom)
    return _filled(Group(path, "none"), [inner], custom)


def _filled(group: Group, parts: list[Any], custom: CustomColumns) -> Group:
    for part in parts:
        _append(group, part, custom)
    return group


def _append(group: Group, rule: Any, custom: CustomColumns) -> None:
    inner = _group(f"{group.path}-{len(group.parts)}", rule, custom)
    group.parts.append(inner or _stored_row(f"{group.path}-{len(group.parts)}", rule, custom))


def _stored_row(path: str, rule: dict[str, Any], custom: CustomColumns) -> Row:
    name, value = rule["field"], rule.get("value")
    row = Row(path, name, op=rule["op"], custom=custom)
    if name.startswith(ATTRIBUTE):
        row.field, row.key = ATTRIBUTE, name.removeprefix(ATTRIBUTE)
    if isinstance(value, dict):
        row.value, row.days = str(value["times"]), str(value["days"])
    elif isinstance(value, list):
        row.value, row.values = ", ".join(value), list(value)
    elif value is not None:
        row.value = value if isinstance(value, str) else json.dumps(value)
    return row
