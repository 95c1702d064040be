"""Presets: how to read the files that other systems export, recognised by their headers.

Each is a JSON file in `presets/`: `needs` are headers that tell such a file, `lacks` those that tell another, `marks`
what further tells it apart: one of the columns, or how the file's name begins. A field comes from the first of its
`columns` that says anything in the first rows, else from the first that the file has, or from a `text`, of which
columns that the file lacks are left out. `attributes` may name all headers that end alike ("*__c"). `states`,
`skips` and `free` are as in a mapping, without those whose column the file lacks. A preset with `no_place` says why
such a file cannot be brought in.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from customers.ingest.field import plain
from customers.ingest.fields import BY_ID
from customers.ingest.mapping import PLACEHOLDER, FreeRule, Mapping, SkipRule, Source, StateRule
from customers.ingest.reader import Layout

FOLDER = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Preset:
    label: str
    needs: list[str]
    lacks: list[str] = field(default_factory=list)
    marks: dict[str, list[str]] = field(default_factory=dict)
    kind: str = ""
    match: str = BY_ID
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    attributes: list[str] = field(default_factory=list)
    states: list[dict[str, str]] = field(default_factory=list)
    skips: list[dict[str, str]] = field(default_factory=list)
    free: list[dict[str, str]] = field(default_factory=list)
    first_of: list[str] = field(default_factory=list)
    no_place: str = ""

    def tells(self, columns: Collection[str], filename: str) -> bool:
        """Whether a file with these columns, in their plain form, is of this preset."""
        there = all(plain(name) in columns for name in self.needs)
        return there and not any(plain(name) in columns for name in self.lacks) and self._marked(columns, filename)

    def _marked(self, columns: Collection[str], filename: str) -> bool:
        marks, names = self.marks.get("columns", ()), self.marks.get("names", ())
        return not self.marks or any(plain(name) in columns for name in marks) or filename.startswith(tuple(names))


@cache
def every() -> tuple[Preset, ...]:
    """Every preset, those that ask for most first."""
    found = [Preset(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(FOLDER.glob("*.json"))]
    return tuple(sorted(found, key=lambda preset: (-bool(preset.marks), -len(preset.needs))))


def recognised(columns: Iterable[str], kind: str = "", filename: str = "") -> Preset | None:
    """The preset of a file with these columns, of the kind where one is given."""
    plainly = {plain(name) for name in columns}
    fitting = (preset for preset in every() if preset.tells(plainly, filename.lower()))
    return next((preset for preset in fitting if not kind or preset.no_place or preset.kind == kind), None)


def read_by(preset: Preset, columns: Iterable[str], filled: Collection[str], layout: Layout) -> Mapping:
    """The mapping that the preset makes for a file with these columns, of which those `filled` say something."""
    there = {plain(name): name for name in reversed(list(columns))}
    sources = {name: _source(told, there, filled) for name, told in preset.fields.items()}
    return Mapping(
        kind=preset.kind,
        layout=layout,
        fields={name: source for name, source in sources.items() if source},
        attributes={name: Source(column=name) for name in _attributes(preset.attributes, there.values())},
        states=tuple(StateRule(**rule) for rule in _ruled(preset.states, there)),
        skips=tuple(SkipRule(**rule) for rule in _ruled(preset.skips, there)),
        free=tuple(FreeRule(**rule) for rule in _ruled(preset.free, there)),
        first_of=tuple(there[plain(name)] for name in preset.first_of if plain(name) in there),
        match=preset.match,
    )


def _source(told: dict[str, Any], there: dict[str, str], filled: Collection[str]) -> Source | None:
    if "columns" in told:
        found = [there[plain(name)] for name in told["columns"] if plain(name) in there]
        return Source(column=next((name for name in found if name in filled), found[0])) if found else None
    text = PLACEHOLDER.sub(lambda found: _braced(there.get(plain(found[1]))), told["text"])
    return Source(text=re.sub(r"  +", " ", text).strip()) if text.strip() else None


def _braced(column: str | None) -> str:
    return f"{{{column}}}" if column else ""


def _attributes(wanted: Iterable[str], columns: Collection[str]) -> Iterator[str]:
    named = {plain(name) for name in wanted if not name.startswith("*")}
    endings = tuple(name[1:] for name in wanted if name.startswith("*"))
    return (name for name in columns if plain(name) in named or (endings and name.endswith(endings)))


def _ruled(rules: Iterable[dict[str, str]], there: dict[str, str]) -> Iterator[dict[str, str]]:
    return ({**rule, "column": there[plain(rule["column"])]} for rule in rules if plain(rule["column"]) in there)
