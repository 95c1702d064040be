"""Run a command with the settings that a service of docker-compose.yml gets: `bin/compose.py SERVICE COMMAND…`.

The values that .env would give come from .env.example. Needs no Docker.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent.parent
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::?([-?])([^}]*))?\})")


def example() -> dict[str, str]:
    lines = (HERE / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled_in(text: str, values: dict[str, str]) -> str:
    """The text with ${NAME}, ${NAME:-default} and ${NAME:?complaint} replaced, as Compose does."""

    def replace(found: re.Match[str]) -> str:
        escaped, name, kind, other = found.groups()
        if escaped:
            return "$"
        if not values.get(name) and kind == "?":
            raise KeyError(f"{name}: {other}")
        return values.get(name) or other or ""

    return VARIABLE.sub(replace, text)


def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HERE / "docker-compose.yml").read_text())
    found: dict[str, Any] = loaded["services"]
    return found


def environment(service: str, values: dict[str, str]) -> dict[str, str]:
    given = services()[service]["environment"]
    return {name: filled_in(str(value), values) for name, value in given.items()}


if __name__ == "__main__":
    os.environ.update(environment(sys.argv[1], example()))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606
