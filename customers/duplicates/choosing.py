"""The fields in which those of a group differ, and which of the values stays when they are made one."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from customers.duplicates.comparing import TAGS, told
from customers.models import Customer


@dataclass(frozen=True)
class Differing:
    """A field by its name in forms, and each value that is there, in words, with the ids of those who have it."""

    name: str
    label: str
    values: dict[str, list[int]]

    def holder(self, chosen: int, among: Collection[int]) -> int | None:
        """Who of `among` has the value that `chosen` has; None where nobody does."""
        having = next(ids for ids in self.values.values() if chosen in ids)
        return next((pk for pk in having if pk in among), None)


def differing(survivor: Customer, others: Sequence[Customer], currency: str) -> list[Differing]:
    """Where there is more than one value. The first is the survivor's, or that of the first who has one. One query."""
    everybody = [survivor, *others]
    rows = [_among(name, label, everybody, words) for name, label, words in told(everybody, currency)]
    rows.append(_among(TAGS, "Tags", everybody, (", ".join(each.tags) for each in everybody)))
    return [row for row in rows if len(row.values) > 1]


def _among(name: str, label: str, everybody: Sequence[Customer], words: Iterable[str]) -> Differing:
    values: dict[str, list[int]] = {}
    for each, said in zip(everybody, words, strict=True):
        if said:
            values.setdefault(said, []).append(each.pk)
    return Differing(name, label, values)
