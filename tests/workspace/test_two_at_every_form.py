"""Every form that changes something there is refuses the second of two people, and keeps what they typed.

The forms are found, not listed: whatever page shows what there is in fields of its own and posts them to itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.addresses import patterns
from tests.workspace.test_a_get_changes_nothing import client as client
from tests.workspace.test_a_get_changes_nothing import one_of_each

MARKS = {"opened", "version"}


@dataclass
class Form:
    """A form of a page: where it goes, and its fields with what stands in them."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._within = self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "form":
            self.found.append(Form(said.get("action", ""), said.get("method", "get")))
            self._within = "form"
        elif not self._within:
            return
        elif tag == "input" and name:
            self._input(name, said)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in said or self._select not in self._form.fields):
            self._form.fields[self._select] = said.get("value", "")
        elif tag == "textarea":
            self._area = name
            self._form.fields[name] = ""
            self._form.texts.append(name)

    def _input(self, name: str, said: dict[str, str]) -> None:
        kind = said.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in said:
                self._form.fields[name] = said.get("value", "on")
        elif kind not in ("submit", "file", "search"):
            self._form.fields[name] = said.get("value", "")
            if kind == "text":
                self._form.texts.append(name)

    @property
    def _form(self) -> Form:
        return self.found[-1]

    def handle_data(self, data: str) -> None:
        if self._area:
            self._form.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._within = ""
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._form.fields[self._area] = self._form.fields[self._area].removeprefix("\n")
            self._area = ""


def test_proto(client: Client, tmp_path: Path) -> None:
    client.raise_request_exception = False
    real = one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    for pattern, sample in patterns():
        if not hasattr(pattern.callback, "admits"):
            continue
        url = real.get(sample, sample)
        response = client.get(url)
        if response.status_code != 200 or response.streaming or "html" not in response["Content-Type"]:
            continue
        for form in Forms(response.content.decode()).found:
            if form.method != "post" or (form.action and form.action != url and not form.action.startswith(url + "?")):
                continue
            filled = {k: v for k, v in form.fields.items() if v and k not in ("csrfmiddlewaretoken",)}
            print(url, form.texts, filled)
