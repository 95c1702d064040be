"""What the next manager should know of each customer: as it stands now, those worth most first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from django.db.models import F, OuterRef, QuerySet, Subquery

from customers.models import Customer, CustomerFacts, HandedCustomer, HandOver, Interaction
from retention.common.spreadsheet import cell, written

BATCH = 500
HEADER = ["Customer's id", "Customer", "Key account", "Stage", "MRR", "Renews", "Health", "Open tasks", "Open cases"]
HEADER += ["Last talked about", "On", "Next step", "By", "Last note of the giver", "Note of the hand-over"]


@dataclass(frozen=True)
class Line:
    """A customer, what was last talked about with them, and what the giver last wrote down."""

    row: HandedCustomer
    customer: Customer
    facts: CustomerFacts | None
    talk: Interaction | None
    noted: Interaction | None


def rows(handover: HandOver) -> QuerySet[HandedCustomer]:
    talks = Interaction.objects.filter(customer=OuterRef("customer"), removed_at=None).order_by("-happened_at", "-pk")
    spoken, notes = talks.exclude(kind=Interaction.Kind.NOTE), talks.filter(kind="note", author=handover.giver)
    return (
        handover.lines.select_related("customer__facts", "customer__owner")
        .annotate(talk=Subquery(spoken.values("pk")[:1]), noted=Subquery(notes.values("pk")[:1]))
        .order_by(F("customer__facts__mrr").desc(nulls_last=True), "customer_id")
    )


def lines(found: Sequence[HandedCustomer]) -> list[Line]:
    """One query."""
    wanted = {pk for row in found for pk in (row.talk, row.noted) if pk}  # type: ignore[attr-defined]  # annotated
    talks = Interaction.objects.in_bulk(wanted)
    return [
        Line(
            row,
            row.customer,
            getattr(row.customer, "facts", None),
            talks.get(row.talk),  # type: ignore[attr-defined]  # annotated
            talks.get(row.noted),  # type: ignore[attr-defined]  # annotated
        )
        for row in found
    ]


def as_file(handover: HandOver, zone: tzinfo) -> Iterator[str]:
    """All of it as CSV, read a part at a time."""
    return written(HEADER, ([cell(value, zone) for value in _cells(line)] for line in _in_parts(handover)))


def _in_parts(handover: HandOver) -> Iterator[Line]:
    whole = list(rows(handover).values_list("pk", flat=True))
    for start in range(0, len(whole), BATCH):
        yield from lines(list(rows(handover).filter(pk__in=whole[start : start + BATCH])))


def _cells(line: Line) -> Iterable[object]:
    facts, talk = line.facts, line.talk
    yield from (line.customer.external_id, str(line.customer), "yes" if line.customer.is_key_account else "")
    yield from (facts.get_stage_display(), facts.mrr, facts.renews_at or "") if facts else ("", "", "")
    yield from (facts.health, facts.open_tasks, facts.open_cases) if facts else ("", "", "")
    yield from (talk.text, talk.happened_at, talk.next_step, talk.next_on or "") if talk else ("", "", "", "")
    yield line.noted.text if line.noted else ""
    yield line.row.note
