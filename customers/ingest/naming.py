"""Mappings by name: those that people saved, and the examples that come along."""

import json
from pathlib import Path

from customers.ingest.mapping import Mapping, MappingRefused, from_json
from customers.models import ImportMapping

EXAMPLES = Path(__file__).parent / "mappings"


def save(name: str, mapping: Mapping) -> None:
    """Keep a mapping under a name; one that has the name already is replaced."""
    ImportMapping.objects.update_or_create(name=name, defaults={"kind": mapping.kind, "spec": mapping.to_json()})


def names() -> list[str]:
    """Every name that `named` knows, saved ones first."""
    saved = list(ImportMapping.objects.values_list("name", flat=True))
    return saved + [name for name in _examples() if name not in saved]


def _examples() -> list[str]:
    return sorted(path.stem for path in EXAMPLES.glob("*.json"))


def label(name: str) -> str:
    """How a name is offered: a saved one as it was typed, an example as such."""
    is_example = name in _examples() and not ImportMapping.objects.filter(name=name).exists()
    return f"Example: {name.replace('_', ' ')}" if is_example else name


def named(name: str) -> Mapping:
    """The mapping saved under a name, or the example of that name. Raises MappingRefused where there is none."""
    saved = ImportMapping.objects.filter(name=name).first()
    if saved:
        return from_json(saved.spec)
    if name not in names():
        raise MappingRefused({"": f"There is no mapping named {name}; there are {', '.join(names())}."})
    return in_file(EXAMPLES / f"{name}.json")


def in_file(path: Path) -> Mapping:
    """The mapping in a JSON file. Raises MappingRefused where it holds none."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise MappingRefused({"": f"{path} holds no mapping: {error}."}) from error
