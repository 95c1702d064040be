"""What other systems tell of customers: many at once, in a fixed number of statements, each kept once under its key."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from customers.events.kinds import CATALOGUE
from customers.events.recording import Happening, record
from customers.models import Customer, FormerId

SOURCE = "api"
#: Characters of what a report says, as JSON.
MOST_SAID = 4_000
#: The kinds that other systems may tell; all others are recorded by what happens here.
TOLD: tuple[str, ...] = tuple(kind.name for kind in CATALOGUE.values() if kind.is_told)


@dataclass(frozen=True)
class Report:
    """Something that happened to a customer, who is named by their id (a number) or their external id (a text).

    `key` names the report among all of its kind and customer: told again, it is kept once.
    """

    customer: int | str
    kind: str
    occurred_at: datetime
    key: str
    payload: dict[str, Any] = field(default_factory=dict)


class NobodyKnown(Exception):
    """Some reports name nobody; nothing is recorded. `places` are their positions."""

    def __init__(self, places: Sequence[int]) -> None:
        self.places = places


@transaction.atomic
def tell(reports: Sequence[Report]) -> None:
    """Record them all, or none. An id that a merge has made an old one stands for whom it leads to.

    Raises NobodyKnown.
    """
    there = known({report.customer for report in reports})
    if places := [place for place, report in enumerate(reports) if report.customer not in there]:
        raise NobodyKnown(places)
    record(
        Happening(
            there[each.customer],
            each.kind,
            each.occurred_at,
            source=SOURCE,
            payload=each.payload,
            dedup_key=f"{SOURCE}:{each.key}",
        )
        for each in reports
    )


def known(named: Collection[int | str]) -> dict[int | str, int]:
    """Who is meant, by what they were named by. None of them goes away until the transaction ends."""
    ids = {name for name in named if isinstance(name, int)}
    texts = {name for name in named if isinstance(name, str)}
    found: dict[int | str, int] = {name: name for name in ids}
    for former in FormerId.objects.filter(Q(pk__in=ids) | Q(external_id__in=texts)):
        found |= {former.pk: former.customer_id, former.external_id: former.customer_id}
    found |= dict(Customer.objects.filter(external_id__in=texts).values_list("external_id", "pk"))
    there = _kept_here(set(found.values()))
    return {name: pk for name, pk in found.items() if pk in there}


def _kept_here(ids: set[int]) -> set[int]:
    """Those that exist. Nobody takes them into another customer meanwhile; to change them waits for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [sorted(ids)])
        return {pk for (pk,) in cursor.fetchall()}
