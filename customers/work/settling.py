"""Where tasks are dealt with that something else asked for, told by the kind in their origin.

A room that opens such tasks says so in its `needing.py`: `settled_at("offer", "loyalty:detail")` where it is dealt with
on a page of its own, `settled_by_a_talk("answer")` where it takes a talk with the customer. Needs that take a talk say
so too; those with a page give its place to `need`.
"""

from customers.work.needs import Line
from retention.workspace.places import page_of

_PAGES: dict[str, str] = {}
_TALKS: set[str] = set()


def settled_at(kind: str, view: str) -> None:
    """At a view that takes the first number in the origin, as in offer:12 or mention:12:3."""
    _PAGES[kind] = view


def settled_by_a_talk(*kinds: str) -> None:
    """Where a talk is logged, which is done with the line there."""
    _TALKS.update(kinds)


def takes_a_talk(kind: str) -> bool:
    return kind in _TALKS


def page_for(task: Line) -> str:
    """Where a task is dealt with, or "" where only the customer's page is known."""
    kind, *numbers = task.about["origin"].split(":")
    return page_of(_PAGES[kind], int(numbers[0])) if kind in _PAGES else ""
