"""Rows of HTML that a page has many of: a file with `{name}` places, filled in without the template engine.

A template takes its time over each place, and a list has a thousand of them. What is filled in is escaped, unless it is
safe already; what a row has only sometimes is a fragment of its own.
"""

import html
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from django.template.loader import get_template
from django.utils.safestring import SafeString


class Fragment:
    """The HTML in a template file; calling it fills its places."""

    def __init__(self, template: str) -> None:
        self.template = template

    @cached_property
    def _form(self) -> str:
        return str(get_template(self.template).template.source).strip()  # type: ignore[attr-defined]

    def __call__(self, **places: object) -> SafeString:
        """`{name}` becomes the escaped text of `name`; one that is missing is a KeyError."""
        filled = {name: text(value) for name, value in places.items()}
        return SafeString(self._form.format_map(filled))  # the file is ours, the rest is escaped


def text(value: object) -> str:
    """As HTML: what is safe as it is, anything else escaped."""
    return value if isinstance(value, SafeString) else html.escape(str(value))


def in_one(rows: Iterable[object]) -> SafeString:
    """Rows as one piece of HTML: a template takes its time over each that it is given."""
    return SafeString("".join(map(text, rows)))


def options(names: Mapping[Any, str], chosen: object = "") -> SafeString:
    """The options of a select, by value; the `chosen` one is selected."""
    return _options(tuple(names.items()), str(chosen))


@lru_cache(maxsize=128)
def _options(names: tuple[tuple[Any, str], ...], chosen: str) -> SafeString:
    """A page has the same ones many times."""
    return SafeString(
        "".join(
            f'<option value="{text(value)}"{" selected" if str(value) == chosen else ""}>{text(name)}</option>'
            for value, name in names
        )
    )
