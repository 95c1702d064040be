"""The search over everything. Each room says in its own `finding.py`, read when the product starts, what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from retention.common.marking import has_all
from retention.common.text_search import words_of
from retention.workspace.models import User
from retention.workspace.places import PLACES, url_for

#: How many of a kind are shown below the search box, and on the page.
FEW, MANY = 6, 25


@dataclass(frozen=True)
class Typed:
    """What somebody looks for, and how many finds of a kind they want; a finder may return one more, to say so."""

    text: str
    most: int = FEW

    @property
    def words(self) -> list[str]:
        return words_of(self.text)


@dataclass(frozen=True)
class Find:
    """One thing found: its name, a word that tells it from others, and its page; without one it is not shown.

    `snippet` is the text in which the words were found, where neither name nor detail has them, and `place` what it is.
    """

    name: str
    detail: str
    url: str
    snippet: str = ""
    place: str = ""


Finder = Callable[[Typed, User], Sequence[Find]]


@dataclass(frozen=True)
class Group:
    """What one room found; `all_url` leads to more of it."""

    label: str
    finds: Sequence[Find]
    all_url: str = ""


_finders: list[tuple[int, str, Finder, Callable[[str], str] | None]] = []


def finder(label: str, position: int, every: Callable[[str], str] | None = None) -> Callable[[Finder], Finder]:
    """Register what finds things of a kind. It gets what was typed and the person; `every` is its list's address."""

    def register(find: Finder) -> Finder:
        _finders.append((position, label, find, every))
        return find

    return register


def search(typed: Typed, person: User) -> Iterator[Group]:
    """What every room finds, rooms with nothing left out. One query or two for each room, whatever there is."""
    if not typed.text:
        return
    for _, label, find, every in sorted(_finders, key=lambda entry: entry[0]):
        if finds := [found for found in find(typed, person) if found.url]:
            more = _more(typed, every) if len(finds) > typed.most else ""
            yield Group(label, finds[: typed.most], more)


def _more(typed: Typed, every: Callable[[str], str] | None) -> str:
    if every:
        return every(typed.text)
    return f"{reverse('workspace:search')}?{urlencode({'q': typed.text})}" if typed.most < MANY else ""


@finder("Pages", 9)
def pages(typed: Typed, person: User) -> list[Find]:
    """The places of the navigation that the person may open."""
    found = [place for place in PLACES if typed.words and has_all(place.label, typed.words)]
    return [Find(place.label, "", url_for(person, place.view) or "") for place in found]
