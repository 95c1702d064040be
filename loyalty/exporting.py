"""The list of offers as a CSV file: what it shows, in its order, all of it."""

import csv
from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from loyalty.costing import Terms
from loyalty.models import Offer
from retention.common.spreadsheet import harmless

HEADER = ["Offer", "Customer", "Customer's id", "Kind", "What", "Cost", "Currency", "Worked out as", "Reason", "Note"]
HEADER += ["State", "By", "When", "Answerable", "Granted", "Used", "Answer", "After 90 days"]


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(offers: QuerySet[Offer]) -> Iterator[str]:
    """CSV lines, with a mark first by which Excel knows UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(HEADER)
    for offer in offers.iterator(chunk_size=2_000):
        yield writer.writerow(_cells(offer))


def _cells(offer: Offer) -> list[str | int]:
    return [
        offer.pk,
        harmless(str(offer.customer)),
        harmless(offer.customer.external_id),
        str(offer.get_kind_display()),
        harmless(Terms.of(offer).said(offer.currency)),
        f"{offer.cost:.2f}",
        offer.currency,
        harmless(offer.formula),
        str(offer.get_reason_display()),
        harmless(offer.note),
        str(offer.get_state_display()),
        harmless(str(offer.asked_by)),
        _instant(offer.asked_at),
        harmless(str(offer.answerable or "")),
        _instant(offer.granted_at),
        _instant(offer.used_at),
        harmless(offer.answer),
        str(offer.get_outcome_display()) if offer.outcome else "",
    ]


def _instant(at: datetime | None) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds") if at else ""
