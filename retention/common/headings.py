"""Headings of a table whose columns put it in order."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A column's heading: `url` puts the list in its order, or turns it round; `sorted` is its aria-sort, or empty."""

    key: str
    label: str
    url: str
    sorted: str


def headings(
    labels: Mapping[str, str], sort: str, address: Callable[[str], str], first_down: Collection[str] = ()
) -> dict[str, Heading]:
    """By key. `sort` is the order the list is in, with a minus for downwards; `address` gives the list in another."""
    here, down = sort.removeprefix("-"), sort.startswith("-")
    found = {}
    for key, label in labels.items():
        turned = not down if key == here else key in first_down
        order = ("descending" if down else "ascending") if key == here else ""
        found[key] = Heading(key, label, address(f"-{key}" if turned else key), order)
    return found
