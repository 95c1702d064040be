"""The search over everything. Each room says in its own `finding.py`, read when the product starts, what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from retention.workspace.models import User

SHORTEST = 2
MOST = 6


@dataclass(frozen=True)
class Find:
    """One thing found: its name, a word that tells it from others, and its page; without one it is not shown."""

    name: str
    detail: str
    url: str


Finder = Callable[[str, User], Sequence[Find]]


@dataclass(frozen=True)
class Group:
    """What one room found."""

    label: str
    finds: Sequence[Find]
    all_url: str = ""


_finders: list[tuple[int, str, Finder, Callable[[str], str] | None]] = []


def finder(label: str, position: int, every: Callable[[str], str] | None = None) -> Callable[[Finder], Finder]:
    """Register what finds things of a kind. It gets what was typed and the person, and returns at most `MOST`.

    Where it may return one more, `every` has the address of a page with all of them.
    """

    def register(find: Finder) -> Finder:
        _finders.append((position, label, find, every))
        return find

    return register


def search(typed: str, person: User) -> Iterator[Group]:
    """What every room finds, rooms with nothing left out. One query or two for each room."""
    words = typed.replace("\0", "").strip()[:100]
    if len(words) < SHORTEST:
        return
    for _, label, find, every in sorted(_finders, key=lambda entry: entry[0]):
        if finds := [found for found in find(words, person) if found.url]:
            yield Group(label, finds[:MOST], every(words) if every and len(finds) > MOST else "")
