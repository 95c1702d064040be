"""Recording: an insert and nothing else. Effects follow when the router takes the event up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from customers.events.kinds import CATALOGUE
from customers.models import Event
from retention.common import acting, clock

#: In a payload: the name of the API key by which it was written.
API_KEY = "api_key"


class UnknownKind(Exception):
    """The kind is not in the catalogue."""


@dataclass(frozen=True)
class Happening:
    """Something to record about a customer. Without a `dedup_key` it is always new."""

    customer_id: int
    kind: str
    occurred_at: datetime
    source: str = ""
    ref: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    dedup_key: str = ""


def record(happenings: Iterable[Happening]) -> None:
    """Append events; those recorded before (same customer, kind and dedup key) are left as they are.

    What an API key writes says so in its payload. Raises UnknownKind before anything is written.
    """
    now, key = clock.now(), acting.program.get()
    # In the order in which everybody holds customers, as the database does to see that each is there.
    ordered = sorted(happenings, key=lambda happening: happening.customer_id)
    Event.objects.bulk_create(
        (_event(happening, now, key) for happening in ordered), batch_size=2_000, ignore_conflicts=True
    )


def _event(happening: Happening, now: datetime, key: str) -> Event:
    if happening.kind not in CATALOGUE:
        raise UnknownKind(happening.kind)
    event = Event(
        customer_id=happening.customer_id,
        kind=happening.kind,
        occurred_at=happening.occurred_at,
        recorded_at=now,
        source=happening.source,
        ref=happening.ref,
        payload={**happening.payload, API_KEY: key} if key else happening.payload,
    )
    if happening.dedup_key:
        event.dedup_key = happening.dedup_key
    return event
