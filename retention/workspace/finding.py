"""The search over everything. Each room says in its own `finding.py`, read when the product starts, what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse

from retention.common.asking import Asking, hear
from retention.common.marking import has_all
from retention.common.text_search import folded, words_of
from retention.common.word_index import SEVERAL
from retention.workspace.models import User
from retention.workspace.places import PLACES, url_for

#: How many of a kind are shown below the search box, and on the page.
FEW, MANY = 6, 25


@dataclass(frozen=True)
class Typed:
    """What somebody looks for, and how many finds of a kind they want; a finder may return one more, to say so."""

    text: str
    most: int = FEW

    @cached_property
    def words(self) -> list[str]:
        return words_of(self.text)

    @cached_property
    def plain(self) -> str:
        """The text in lower case, without accents."""
        return folded(self.text)


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


Finder = Callable[[Typed, User], Asking[list[Find]]]


@dataclass(frozen=True)
class Group:
    """What one room found; `all_url` leads to more of it."""

    label: str
    finds: Sequence[Find]
    all_url: str = ""


_finders: list[tuple[int, str, Finder, Callable[[str], str] | None]] = []


def finder(label: str, position: int, every: Callable[[str], str] | None = None) -> Callable[[Finder], Finder]:
    """Register what finds things of a kind. It gets what was typed and the person; `every` is its list's address.

    What it asks it yields (`asking`), so that all rooms are asked at once.
    """

    def register(find: Finder) -> Finder:
        _finders.append((position, label, find, every))
        return find

    return register


def search(typed: Typed, person: User) -> Iterator[Group]:
    """What every room finds, rooms with nothing left out. One query for one word, two for several."""
    if not typed.text:
        return
    rooms = sorted(_finders, key=lambda entry: entry[0])
    for (_, label, _, every), found in zip(rooms, hear([find(typed, person) for *_, find, _ in rooms]), strict=True):
        if finds := [each for each in found if each.url]:
            yield Group(label, finds[: typed.most], _more(typed, every, len(finds) > typed.most))


def _more(typed: Typed, every: Callable[[str], str] | None, there_is: bool) -> str:
    """Where there is more. Of several words, which are common maybe, a list has all that the search would look for."""
    if every and (there_is or len(typed.words) >= SEVERAL):
        return every(typed.text)
    return f"{reverse('workspace:search')}?{urlencode({'q': typed.text})}" if there_is and typed.most < MANY else ""


@finder("Pages", 9)
def pages(typed: Typed, person: User) -> Asking[list[Find]]:
    """The places of the navigation that the person may open."""
    yield from ()  # asks nothing
    found = [place for place in PLACES if typed.words and has_all(place.label, typed.words)]
    return [Find(place.label, "", url_for(person, place.view) or "") for place in found]
