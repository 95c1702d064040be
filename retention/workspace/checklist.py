"""The first steps in a new workspace. Each room adds its own from its `checklist.py`, found when the product starts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from retention.workspace.models import User
from retention.workspace.places import url_for


@dataclass(frozen=True)
class Step:
    """A first step: where it is done, and whether rows show that it has been."""

    position: int
    title: str
    text: str
    action: str
    view: str
    is_done: Callable[[], bool]


@dataclass(frozen=True)
class Shown:
    """A step as one person sees it: without `url` somebody else has to do it."""

    step: Step
    done: bool
    url: str | None
    next: bool = False


_steps: dict[int, Step] = {}


def add(step: Step) -> None:
    _steps[step.position] = step


def checklist(user: User) -> list[Shown]:
    """Every step in order, the first that is open marked as the next. One small query each."""
    shown = [Shown(step, step.is_done(), url_for(user, step.view)) for _, step in sorted(_steps.items())]
    first = next((entry for entry in shown if not entry.done), None)
    return [replace(entry, next=entry is first) for entry in shown]
