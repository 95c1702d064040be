"""What stands on a segment, and so keeps it from being deleted: whatever protects it, and segments that refer to it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import PROTECT, Model
from django.urls import NoReverseMatch, resolve, reverse

from customers.models import Segment
from customers.segments import references


class InUse(Exception):
    """The segment cannot be deleted; `uses` says why."""

    def __init__(self, uses: Sequence["Use"]) -> None:
        super().__init__(", ".join(use.name for use in uses))
        self.uses = uses


@dataclass(frozen=True)
class Use:
    """Something that stands on a segment: "campaign", its name, its page where it has one."""

    what: str
    name: str
    url: str = ""

    @property
    def needs(self) -> str:
        """What its page asks of whoever opens it."""
        return str(getattr(resolve(self.url).func, "admits", ""))


def uses() -> Mapping[int, list[Use]]:
    """What stands on each segment. One query per kind of thing and one for the segments, however many there are."""
    found: dict[int, list[Use]] = defaultdict(list)
    for relation in Segment._meta.get_fields(include_hidden=True):
        if relation.auto_created and getattr(relation, "on_delete", None) is PROTECT:
            _protecting(relation.related_model, relation.field.attname, found)  # type: ignore[union-attr,arg-type]
    stored = references.stored_rules()
    for segment_id in stored:
        for other in sorted(references.referring_to(segment_id, stored)):
            use = Use("segment", stored[other].name, reverse("customers:segment", args=[other]))
            found[segment_id].append(use)
    return found


def _protecting(model: type[Model], column: str, found: dict[int, list[Use]]) -> None:
    what = str(model._meta.verbose_name)
    for row in model._default_manager.exclude(**{column: None}).order_by("pk"):
        use = Use(what, str(row), _page(model, row))
        if use not in found[getattr(row, column)]:
            found[getattr(row, column)].append(use)


def _page(model: type[Model], row: Model) -> str:
    """Rooms above this one keep the pages of their things under one name; things of this one know their own."""
    if hasattr(row, "get_absolute_url"):
        return str(row.get_absolute_url())
    try:
        return reverse(f"{model._meta.app_label}:detail", args=[row.pk])
    except NoReverseMatch:
        return ""


def delete(segment: Segment) -> None:
    """Delete a segment with its history. Raises InUse."""
    if found := uses().get(segment.pk):
        raise InUse(found)
    segment.delete()
