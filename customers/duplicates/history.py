"""What was merged: by whom it was asked for already, what went along, and where an old id leads."""

from django.db.models import Count

from customers.duplicates.moving import WORDS
from customers.models import FormerId, Merge


def made(loser_id: int, survivor_id: int) -> Merge | None:
    """The merge of the two that stands."""
    return Merge.objects.filter(loser_id=loser_id, survivor_id=survivor_id, undone_at=None).first()


def moved(merge: Merge) -> list[tuple[str, int]]:
    """How many rows of each kind went along, in words."""
    rows = merge.rows.exclude(after=None).filter(model__in=WORDS).order_by().values("model")
    found = {each["model"]: each["rows"] for each in rows.annotate(rows=Count("row", distinct=True))}
    return [(words, found[label]) for label, words in WORDS.items() if label in found]


def taken_in(customer_id: int) -> list[Merge]:
    """The merges into a customer that stand, the latest first."""
    standing = Merge.objects.filter(survivor_id=customer_id, undone_at=None).select_related("by")
    return list(standing.defer("left", "stayed")[:20])


def leads_to(old_id: int) -> int | None:
    """Who a customer's old id stands for now; None where it is nobody's."""
    return FormerId.objects.filter(pk=old_id).values_list("customer_id", flat=True).first()
