"""The examples of docs/api.md, run line by line."""

import json
import re
import shlex
from collections.abc import Iterator
from string import Template
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.api.program import a_key
from tests.api.shop import a_shop

TEXT = (settings.BASE_DIR / "docs" / "api.md").read_text()


def commands(text: str) -> Iterator[str]:
    """The lines of the examples, those that go on joined."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        yield from re.sub(r"\\\n|\n(?=  )", " ", block).splitlines()


def run(line: str, known: dict[str, str]) -> int | None:
    """Do what a line says; what it keeps goes into `known`. The status of the answer, None where it asks nothing."""
    kept = re.fullmatch(r"(\w+)=\$\((.*) \| jq (?:-r )?\.([\w.\[\]]+)\)", line)
    if not kept and (plain := re.fullmatch(r"(\w+)=(\S+)", line)):
        known.setdefault(plain[1], plain[2])
        return None
    response = curl(Template(kept[2] if kept else line).substitute(known))
    if kept:
        known[kept[1]] = str(picked(response.json(), kept[3]))
    return int(response.status_code)


def curl(line: str) -> Any:
    words = iter(shlex.split(line))
    assert next(words) == "curl"
    url, method, headers, body = "", "", {}, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            url = word
    content = headers.pop("Content-Type", "")
    return Client().generic(method or ("POST" if body else "GET"), url, body, content, headers=headers)


def picked(said: Any, path: str) -> Any:
    """What a path of jq points to."""
    for part in re.findall(r"\w+", path):
        said = said[int(part)] if part.isdigit() else said[part]
    return said


def test_each_example_does_what_it_says(db: None) -> None:
    a_shop()
    known = {"API": "http://testserver/api/v1", "KEY": a_key()}
    statuses = {line: run(line, known) for line in commands(TEXT)}
    assert len(statuses) > 5
    assert {line: status for line, status in statuses.items() if status not in (None, 200, 201)} == {}


def test_a_wrong_example_would_be_found(db: None) -> None:
    known = {"API": "http://testserver/api/v1", "KEY": a_key()}
    line = (
        """curl "$API/customers/" -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -d '{"a": 1}'"""
    )
    assert run(line, known) == 422
    with pytest.raises(KeyError):
        run('curl "$API/$NOBODY/"', known)


def test_bodies_in_the_examples_are_json() -> None:
    bodies = [found for line in commands(TEXT) for found in re.findall(r"-d '(.*?)'", line)]
    assert bodies
    assert all(isinstance(json.loads(body), dict) for body in bodies)
