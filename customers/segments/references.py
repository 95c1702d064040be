"""Segments that refer to segments: their rules are put in place, and circles refused.

A reference means the other segment's *rule*, with whom people put in or keep out, not its present members, so that
every segment is right by itself and none waits for another's refresh.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from customers.models import Segment, Verdict
from customers.segments.catalogue import SEGMENT
from customers.segments.rules import (
    MAX_CONDITIONS,
    AllOf,
    AnyOf,
    ByHand,
    InSegment,
    Not,
    Rule,
    RuleRefused,
    conditions,
    parse,
    replaced,
)

MAX_CHAIN = 5


@dataclass(frozen=True)
class Stored:
    """A segment's name, its rule as JSON, and how many customers are put in or kept out of it by hand."""

    name: str
    rule: Any
    by_hand: int = 0


def stored_rules() -> dict[int, Stored]:
    """Every segment's rule, in one query."""
    rows = Segment.objects.order_by("name").values_list("id", "name", "rule", "by_hand")
    return {segment_id: Stored(*rest) for segment_id, *rest in rows}


def read(data: Any, own_id: int | None = None) -> Rule:
    """The rule with every reference filled in. `own_id`: the segment the rule is for, which it must not come back to.

    The other segments are only read where the rule refers to one. Raises RuleRefused, also where all rules put
    together grow too large.
    """
    rule = parse(data)
    if not any(isinstance(part, InSegment) for part in conditions(rule)):
        return rule
    try:
        rule = _filled(rule, stored_rules(), () if own_id is None else (own_id,))
    except _BrokenReference as broken:
        raise RuleRefused(_place(data, broken.segment_id, ""), broken.why) from broken
    if _size(rule) > MAX_CONDITIONS:
        raise RuleRefused("", f"has more than {MAX_CONDITIONS} conditions together with the segments it refers to")
    return rule


class _BrokenReference(Exception):
    """`segment_id` is what the outermost rule refers to; `why` is a sentence."""

    def __init__(self, segment_id: int, why: str) -> None:
        super().__init__(why)
        self.segment_id, self.why = segment_id, why


def _place(data: Any, segment_id: int, place: str) -> str:
    """Where a rule, which has been parsed, first refers to a segment, as `any[1].value`; empty where it does not."""
    if "field" in data:
        refers = data["field"] == SEGMENT.key and data["value"] == segment_id
        return f"{place}.value" if refers and place else "value" if refers else ""
    ((word, inner),) = data.items()
    here = f"{place}.{word}" if place else word
    parts = [(inner, here)] if word == "not" else [(part, f"{here}[{at}]") for at, part in enumerate(inner)]
    return next((found for part, at in parts if (found := _place(part, segment_id, at))), "")


def whole(segment: Segment) -> Rule:
    """Who is in a segment: those its rule picks, but for whom a person put in or keeps out. Raises RuleRefused."""
    return with_hands(read(segment.rule, segment.pk), segment.pk, segment.by_hand)


def with_hands(rule: Rule, segment_id: int, by_hand: int) -> Rule:
    """The rule giving way to what was decided by hand; the rule itself where nothing was."""
    if not by_hand:
        return rule
    kept_out = Not(ByHand(segment_id, Verdict.OUT.value))
    return AnyOf((ByHand(segment_id, Verdict.IN.value), AllOf((rule, kept_out))))


def _filled(rule: Rule, stored: Mapping[int, Stored], chain: tuple[int, ...]) -> Rule:
    references = {part for part in conditions(rule) if isinstance(part, InSegment)}
    return replaced(rule, {reference: _followed(reference, stored, chain) for reference in references})


def _followed(reference: InSegment, stored: Mapping[int, Stored], chain: tuple[int, ...]) -> InSegment:
    try:
        target = _target(reference, stored, chain)
        inner = _filled(parse(target.rule), stored, (*chain, reference.segment_id))
    except (_BrokenReference, RuleRefused) as broken:
        raise _BrokenReference(reference.segment_id, broken.why) from broken
    inner = with_hands(inner, reference.segment_id, target.by_hand)
    return replace(reference, name=target.name, rule=inner)


def _target(reference: InSegment, stored: Mapping[int, Stored], chain: tuple[int, ...]) -> Stored:
    target = stored.get(reference.segment_id)
    if target is None:
        raise _BrokenReference(reference.segment_id, "refers to a segment that is no longer there")
    if reference.segment_id in chain:
        raise _BrokenReference(reference.segment_id, f"refers to “{target.name}”, which refers back to it")
    if len(chain) >= MAX_CHAIN:
        raise _BrokenReference(reference.segment_id, f"segments refer to one another more than {MAX_CHAIN} deep")
    return target


def _size(rule: Rule) -> int:
    inner = (part.rule for part in conditions(rule) if isinstance(part, InSegment) and part.rule is not None)
    return sum(1 for _ in conditions(rule)) + sum(map(_size, inner))


def referring_to(segment_id: int, stored: Mapping[int, Stored]) -> set[int]:
    """The segments whose rules come to this one, directly or through others."""
    direct = {
        other: {reference["value"] for reference in _raw_references(entry.rule)} for other, entry in stored.items()
    }
    found: set[int] = set()
    frontier = {segment_id}
    while frontier:
        frontier = {other for other, targets in direct.items() if targets & frontier} - found
        found |= frontier
    return found


def _raw_references(data: Any) -> list[dict[str, Any]]:
    """The conditions on segments in stored JSON, which may be a rule no longer understood as a whole."""
    if isinstance(data, list):
        return [reference for part in data for reference in _raw_references(part)]
    if not isinstance(data, dict):
        return []
    if data.get("field") == "segment":
        return [data] if isinstance(data.get("value"), int) else []
    return _raw_references(list(data.values()))
