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

from customers.segments.custom import CustomColumns
from customers.segments.fields import ATTRIBUTE, PAYLOAD, Choices, Column, Field, Tally
from customers.segments.operators import Comparison, Operator, Takes
from customers.segments.rules import CUSTOMER, NOBODY, RuleRefused, known_field, parse
from customers.segments.values import READERS, BadValue

ROOT = "r"
MATCHES = {"all": "all of these", "any": "any of these", "none": "none of these", "not_all": "not all of these"}
#: Groups within groups that the page offers; a rule written elsewhere may go deeper.
OFFERED_DEPTH = 5
NO_COMPARISON = "This field has no such comparison. Choose one of those it has."
LOOK_BELOW = "Look at the condition below."
_PLACE_IN_WHERE = re.compile(r"where\[(\d+)\]", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


@dataclass
class Row:
    """One condition as typed; or, where `of` says of what, one on the rows that a tally counts.

    `was`: the field that the page showed, beside which the rest was typed.
    """

    path: str
    field: str = "orders"
    key: str = ""
    op: str = ""
    value: str = ""
    values: list[str] = dataclasses.field(default_factory=list)
    days: str = ""
    days_of: str = ""
    was: str = ""
    error: str = ""
    is_fresh: bool = False
    of: Tally | None = None
    where: list["Row"] = dataclasses.field(default_factory=list)
    custom: CustomColumns = dataclasses.field(default_factory=CustomColumns, repr=False, compare=False)

    @property
    def is_group(self) -> bool:
        return False

    @property
    def prefix(self) -> str:
        """What stands before a key that somebody types: of a custom attribute, or of something in an event."""
        return PAYLOAD if self.of else ATTRIBUTE

    @property
    def has_key(self) -> bool:
        return self.field == self.prefix

    @property
    def known_as(self) -> str:
        """The list of values to suggest: of a customer's field, or of something in an event."""
        if self.of is None:
            return self.field
        return f"{self.of.key}-{self.key or self.field}"

    @property
    def asked(self) -> Field | None:
        return self._found(self.field + self.key if self.has_key else self.field)

    def _found(self, key: str) -> Field | None:
        return self.of.related.column(key) if self.of else known_field(key, self.custom)

    @property
    def operators(self) -> list[Operator]:
        """What can be asked of the field, of one whose key is typed also before it is."""
        asked = self.asked or (self._found(f"{self.prefix}key") if self.has_key else None)
        return list(asked.operators) if asked else []

    @property
    def chosen(self) -> Operator | None:
        return next((operator for operator in self.operators if operator.key == self.op), None)

    @property
    def operator(self) -> Operator | None:
        """What the page shows as chosen: the first where there is no such comparison."""
        return self.chosen or next(iter(self.operators), None)

    @property
    def is_other_field(self) -> bool:
        return self.was not in ("", self.field)

    @property
    def is_by_calendar(self) -> bool:
        """Whether somebody can choose whose days count."""
        return isinstance(self.operator, Comparison) and self.operator.by_calendar

    @property
    def choices(self) -> Choices:
        return self.asked.choices if isinstance(self.asked, Column) else ()

    @property
    def details(self) -> Choices:
        """What can be asked of the rows that this counts, where it counts any."""
        if not isinstance(self.asked, Tally):
            return ()
        related = self.asked.related
        listed = tuple((column.key, column.label) for column in related.columns)
        return ((PAYLOAD, "What it says of …"), *listed) if related.payload else listed

    def to_rule(self) -> dict[str, Any]:
        rule: dict[str, Any] = {"field": self.asked.key if self.asked else self.field}
        if self.operators:
            rule["op"] = self.op
        if self.chosen and self.chosen.takes is not Takes.NOTHING:
            rule["value"] = self._value(self.chosen.takes)
        if self.days_of and self.is_by_calendar:
            rule["days_of"] = self.days_of
        if self.where and isinstance(self.asked, Tally):
            rule["where"] = [row.to_rule() for row in self.where]
        return rule

    def _value(self, takes: Takes) -> Any:
        if takes is Takes.TEXTS:
            return [text.strip() for text in self.value.split(",") if text.strip()]
        if takes is Takes.CHOICES:
            return self.values
        if takes in (Takes.TIMES, Takes.TOTAL):
            period = {"days": _number(self.days)} if self.days.strip() else {}
            return {takes.value: _number(self.value), **period}
        return _number(self.value) if takes in (Takes.NUMBER, Takes.DAYS, Takes.SEGMENT) else self.value

    def follow_field(self) -> None:
        """Where another field was chosen: its first comparison unless it has this one, no value that it can't take."""
        if not self.is_other_field or self.operator is None:
            return
        self.op = self.operator.key
        if not self._fits(self.operator):
            self.value, self.values, self.days, self.days_of = "", [], "", ""

    def _fits(self, operator: Operator) -> bool:
        """Whether the value is one of the field's; somebody or a segment that a number happens to name is none."""
        if self.asked is None or operator.takes is Takes.SEGMENT:
            return False
        if operator.takes in (Takes.CHOICE, Takes.CHOICES) and not self.choices:
            return False
        try:
            READERS[operator.takes](self._value(operator.takes), self.asked)
        except BadValue:
            return False
        return True

    def add_detail(self) -> None:
        """A condition on what is counted, beginning with the first thing that can be asked."""
        if details := self.details:
            last = max((int(row.path.rpartition(".")[2]) for row in self.where), default=-1)
            of = self.asked if isinstance(self.asked, Tally) else None
            self.where.append(Row(f"{self.path}.{last + 1}", details[0][0], of=of, is_fresh=True))


@dataclass
class Group:
    """Parts, and how many of them must hold. `lost`: what was sent of it and cannot be kept."""

    path: str
    match: str = "all"
    parts: list["Row | Group"] = dataclasses.field(default_factory=list)
    error: str = ""
    lost: str = ""

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


def act(root: Group, what: str) -> None:
    """Do what a button of the builder says.

    `row:PATH` and `group:PATH` add to a group, `detail:PATH` to a row, `remove:PATH` takes any of them away.
    """
    verb, _, path = what.partition(":")
    for row in rows_of(root):
        for each in (row, *row.where):
            each.follow_field()
        if verb == "remove":
            row.where = [detail for detail in row.where if detail.path != path]
        elif row.path == path and verb == "detail":
            row.add_detail()
    for group in list(groups_of(root)):
        if verb == "remove":
            group.parts = [part for part in group.parts if part.path != path]
        elif group.path == path and verb == "row":
            group.add_row()
        elif group.path == path and verb == "group" and group.may_nest:
            group.add_group()


def groups_of(group: Group) -> Iterator[Group]:
    yield group
    for part in group.parts:
        if isinstance(part, Group):
            yield from groups_of(part)


def rows_of(root: Group) -> list[Row]:
    return [part for group in groups_of(root) for part in group.parts if isinstance(part, Row)]


def check(root: Group) -> bool:
    """Put beside each row and group what is wrong with it; whether nothing is."""
    fine = [_checked(part) for group in groups_of(root) for part in (group, *group.parts) if part is not root]
    return all([_checked(root), *fine])


def _checked(part: Row | Group) -> bool:
    part.error = ""
    if isinstance(part, Group):
        part.error = part.lost or ("" if part.parts else "Add a condition here, or remove the group.")
    else:
        _check_row(part)
    return not part.error


def _check_row(row: Row) -> None:
    """The refusal stands beside what it is about: the row, or the condition on what it counts."""
    for each in (row, *row.where):
        each.error = "" if each.chosen or not each.operators else NO_COMPARISON
    if any(detail.error for detail in row.where):
        row.error = row.error or LOOK_BELOW
    if row.error:
        return
    try:
        parse(row.to_rule(), row.custom)
    except RuleRefused as refusal:
        row.error = f"{_SUBJECTS.get(refusal.place.rpartition('.')[2], 'This')} {refusal.why}."
        if found := _PLACE_IN_WHERE.match(refusal.place):
            row.where[int(found[1])].error, row.error = row.error, LOOK_BELOW


def blame(root: Group, refusal: RuleRefused) -> None:
    """Put a refusal of the whole rule beside the row or group that it is about, else above them all."""
    found: Row | Group = root
    for number in re.findall(r"\[(\d+)\]", refusal.place.partition("where")[0]):
        if isinstance(found, Group) and int(number) < len(found.parts):
            found = found.parts[int(number)]
    found.error = f"This can't be saved: {refusal.why}." if found is root else f"This {refusal.why}."


def finished(root: Group) -> tuple[Group | None, int]:
    """The draft without what is wrong or not filled in yet, and how many conditions that leaves out."""
    left_out = sum(bool(part.error) for group in groups_of(root) for part in group.parts if isinstance(part, Row))
    return _pruned(root), left_out


def _pruned(group: Group) -> Group | None:
    parts = [_pruned(part) if isinstance(part, Group) else None if part.error else part for part in group.parts]
    kept = [part for part in parts if part is not None]
    return Group(group.path, group.match, kept) if kept else None


_SUBJECTS = {"value": "The value", "op": "The comparison", "field": "The field"}


def from_rule(rule: Any) -> Group:
    """The rows and groups that say a stored rule."""
    if rule == NOBODY:
        return Group(ROOT)
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
    group.parts.append(inner or _stored_row(Row(f"{group.path}-{len(group.parts)}", custom=custom), rule))


def _stored_row(row: Row, rule: dict[str, Any]) -> Row:
    """The row, filled in."""
    name, value = rule["field"], rule.get("value")
    row.field, row.op = name, rule["op"]
    row.days_of = CUSTOMER if rule.get("days_of") == CUSTOMER else ""
    if name.startswith(row.prefix):
        row.field, row.key = row.prefix, name.removeprefix(row.prefix)
    if isinstance(value, dict):
        row.value = _typed(value.get("times", value.get("total")))
        row.days = "" if value.get("days") is None else str(value["days"])
    elif isinstance(value, list):
        row.value, row.values = ", ".join(value), list(value)
    elif value is not None:
        row.value = _typed(value)
    if isinstance(row.asked, Tally):
        for number, each in enumerate(rule.get("where", [])):
            row.where.append(_stored_row(Row(f"{row.path}.{number}", of=row.asked), each))
    return row


def _typed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
