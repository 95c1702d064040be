"""Reading a request's body: JSON within limits of size and depth, and no character that the database cannot keep."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from retention.workspace.api.problem import Problem

MOST_BYTES = 2_000_000
DEPTH = 12
_IMPOSSIBLE = re.compile("[\0\ud800-\udfff]")


class Json(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body. Raises Problem: 413 for too much of it, 400 where it is no JSON of ours."""
        view = (parser_context or {}).get("view")
        most, deepest = getattr(view, "most_bytes", MOST_BYTES), getattr(view, "deepest", DEPTH)
        text = stream.read(most + 1)
        if len(text) > most:
            raise too_large(most)
        try:
            said = json.loads(text, parse_constant=_refuse)
        except RecursionError as error:
            raise _too_deep(deepest) from error
        except ValueError as error:
            raise Problem(400, f"This is no JSON: {error}.") from error
        _check(said, deepest)
        return said


def too_large(most: int) -> Problem:
    return Problem(413, f"A request may be up to {most:,} bytes. Send it in parts.")


def _too_deep(deepest: int) -> Problem:
    return Problem(400, f"Lists and objects may be {deepest} deep.")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _check(said: Any, deepest: int) -> None:
    """Look through everything, level by level."""
    level = [said]
    for _ in range(deepest + 1):
        if not level:
            return
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.keys()
                inner += each.values()
            elif isinstance(each, list):
                inner += each
            elif isinstance(each, str) and _IMPOSSIBLE.search(each):
                raise Problem(400, "A text has a character in it that no text can have.")
        level = inner
    if level:
        raise _too_deep(deepest)
