"""Suggestions that belong together: of four customers who may all be the same, one group and not six pairs.

A group is whoever is connected by open suggestions. It is shown under its first customer, the one known longest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from customers.duplicates import suggesting
from customers.models import Customer, Likeness
from customers.records.filters import Filters, matching


@dataclass(frozen=True)
class Member:
    """Another customer of a group, and the surest suggestion that brings them in: with the first, if there is one."""

    customer: Customer
    likeness: Likeness
    with_first: bool

    @property
    def sure(self) -> str:
        return suggesting.sure(self.likeness.score)

    @property
    def other(self) -> Customer:
        """Whom the suggestion is with."""
        return self.likeness.high if self.likeness.low_id == self.customer.pk else self.likeness.low


@dataclass(frozen=True)
class Group:
    first: Customer
    others: Sequence[Member]


def firsts(typed: str = "") -> QuerySet[Any, Any]:
    """Each group's first customer as `low`, the surest group first; `typed` finds the beginnings of words.

    First is who has no suggestion with an older customer, nor shares a younger one with an older one.
    """
    open_ones = Likeness.objects.filter(dismissed_at=None)
    older = open_ones.filter(high=OuterRef("low"))
    shared = open_ones.filter(high=OuterRef("high"), low__lt=OuterRef("low"))
    beside = Likeness.objects.filter(Exists(shared), dismissed_at=None)
    found = open_ones.filter(~Exists(older)).exclude(low__in=beside.values("low"))
    if typed:
        named = matching(Filters(q=typed)).values("pk")
        found = found.filter(Q(low__in=named) | Q(high__in=named))
    return found.order_by().values("low").annotate(best=Max("score")).order_by(F("best").desc(), "low")


def groups(firsts_shown: Iterable[int]) -> list[Group]:
    """The groups of these first customers, in this order. Two queries."""
    first_ids = list(firsts_shown)
    members = _members(first_ids)
    everybody = {pk for ids in members.values() for pk in ids}
    likes = Likeness.objects.filter(dismissed_at=None, low__in=everybody).select_related("low", "high")
    best = _best(likes.order_by("-score", "id"))
    return [group for pk in first_ids if pk == min(members[pk]) and (group := _group(pk, members[pk], best))]


def together(customer_id: int) -> set[int]:
    """Whoever is in one group with a customer, themselves too."""
    return _members([customer_id])[customer_id]


def _group(first: int, ids: set[int], best: Mapping[int, list[Likeness]]) -> Group | None:
    found = (_member(pk, first, best[pk]) for pk in sorted(ids - {first}))
    others = sorted(found, key=lambda member: -member.likeness.score)
    if not others:
        return None
    likeness = best[first][0]
    return Group(likeness.low if likeness.low_id == first else likeness.high, others)


def _member(pk: int, first: int, likes: Sequence[Likeness]) -> Member:
    straight = [each for each in likes if first in (each.low_id, each.high_id)]
    likeness = (straight or likes)[0]
    return Member(likeness.high if likeness.high_id == pk else likeness.low, likeness, bool(straight))


def _best(likes: Iterable[Likeness]) -> dict[int, list[Likeness]]:
    """Each customer's suggestions, the surest first."""
    found: dict[int, list[Likeness]] = {}
    for each in likes:
        for pk in (each.low_id, each.high_id):
            found.setdefault(pk, []).append(each)
    return found


def _members(first_ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {pk: {pk} for pk in first_ids}
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTED, {"firsts": list(first_ids)})
        for first, member in cursor.fetchall():
            found[first].add(member)
    return found


_CONNECTED = """
    WITH RECURSIVE connected AS (
        SELECT first, first AS member FROM UNNEST(%(firsts)s::bigint[]) AS first
        UNION
        SELECT connected.first, beside.other
        FROM connected CROSS JOIN LATERAL (
            SELECT high_id AS other FROM customers_likeness WHERE low_id = connected.member AND dismissed_at IS NULL
            UNION ALL
            SELECT low_id FROM customers_likeness WHERE high_id = connected.member AND dismissed_at IS NULL
        ) AS beside
    )
    SELECT first, member FROM connected
"""
