"""A small text that an installation decides once and keeps in a file."""

import os
from collections.abc import Callable
from pathlib import Path


def kept(path: Path, decide: Callable[[], str]) -> str:
    """The text at `path`; where there is none, `decide()`, written whole and private by whoever comes first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(decide())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its text counts
        finally:
            fresh.unlink()
    return path.read_text()
