"""Renewals as a CSV file: what is shown, all of it."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet

from customers.models import SubscriptionTerm
from customers.renewals.rows import Renewal
from retention.common.spreadsheet import cell, written

HEADER = ["Renews or ends", "Notice until", "Customer's id", "Customer", "Owner", "Stage", "Subscription", "Plan"]
HEADER += ["MRR", "Currency", "Renews by itself", "Forecast", "Set by", "Note", "Suggested", "Because"]


def lines(terms: QuerySet[SubscriptionTerm], zone: tzinfo) -> Iterator[str]:
    """CSV lines."""
    told = (_cells(Renewal(term)) for term in terms.iterator(chunk_size=2_000))
    return written(HEADER, ([cell(value, zone) for value in line] for line in told))


def _cells(renewal: Renewal) -> list[Any]:
    term, said = renewal.term, renewal.said
    return [
        renewal.due_at,
        renewal.notice_at or "",
        term.customer.external_id,
        str(term.customer),
        str(term.customer.owner or ""),
        renewal.stage_label,
        term.subscription.external_id,
        term.plan,
        term.mrr,
        term.currency,
        "yes" if term.subscription.auto_renews else "no",
        renewal.label,
        str(said.set_by or "") if said else "",
        said.note if said else "",
        renewal.suggestion,
        renewal.why,
    ]
