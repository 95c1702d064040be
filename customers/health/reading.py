"""Why a customer's health is what it is: what each input adds, what it was before, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from customers.health import inputs
from customers.health.picture import Picture, drawn
from customers.health.profiles import EVERYBODY_ELSE
from customers.models import Customer, Health, HealthChange, HealthProfile, HealthSettings
from retention.common import clock

#: So many changes are told and drawn.
CHANGES = 60


@dataclass(frozen=True)
class Part:
    """An input's share: `adds` is how many points of the score are its own. `before`: its points at the last score."""

    label: str
    about: str
    said: str
    weight: int
    points: int | None
    adds: float | None
    before: int | None

    @property
    def change(self) -> int:
        return 0 if self.points is None or self.before is None else self.points - self.before

    @property
    def change_said(self) -> str:
        return f"{self.change:+d}".replace("-", "−") if self.change else ""


@dataclass(frozen=True)
class Told:
    """A customer's health as their page tells it. `changes` are the latest ones, the last first."""

    health: Health
    profile: str
    parts: list[Part]
    changes: Sequence[HealthChange]
    picture: Picture | None
    settings: HealthSettings

    @property
    def before(self) -> HealthChange | None:
        """What it was until the last change."""
        return self.changes[1] if len(self.changes) > 1 else None


def told(customer: Customer) -> Told | None:
    """Four queries; None where health has not been looked at yet."""
    health = Health.objects.filter(customer=customer).first()
    if health is None:
        return None
    changes = list(HealthChange.objects.filter(customer=customer).order_by("-at", "-pk")[:CHANGES])
    before = changes[1] if len(changes) > 1 and changes[1].version == health.version else None
    settings = HealthSettings.current()
    return Told(
        health,
        _profile(health.version),
        parts(health.parts, before.parts if before else {}),
        changes,
        drawn(changes, settings, clock.now()),
        settings,
    )


def parts(stored: dict[str, list[Any]], before: dict[str, list[Any]]) -> list[Part]:
    """In the order of the inputs, those without data last. An input that is no longer there has its key for a name."""
    known = inputs.every()
    weight = sum(weight for _, points, weight in stored.values() if points is not None)
    keys = sorted(stored, key=lambda key: (stored[key][1] is None, [*known, key].index(key)))
    found = []
    for key in keys:
        raw, points, own = stored[key]
        given = known.get(key)
        found.append(
            Part(
                label=given.label if given else key,
                about=given.about if given else "",
                said=given.said(raw) if given else "",
                weight=own,
                points=points,
                adds=None if points is None else points * own / weight,
                before=before[key][1] if key in before else None,
            )
        )
    return found


def _profile(version: int) -> str:
    """What the profile is called that a score was worked out by; empty where it has been changed since."""
    name = HealthProfile.objects.filter(version=version).values_list("name", flat=True).first()
    return name or ("" if version else EVERYBODY_ELSE)
