"""What the list of customers is narrowed down to. The query string says it, so that a link shows the same list."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, F, Func, OuterRef, QuerySet
from django.http import QueryDict

from customers.models import Customer, SegmentMembership, Stage
from retention.common.text_search import SearchWords, beginnings

NOBODY = "none"


@dataclass(frozen=True)
class Chip:
    """A filter that is on: how it reads, and the query string without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True)
class Filters:
    """`owner` is a person's id or "none", `segment` a segment's id; empty means all."""

    q: str = ""
    stages: tuple[str, ...] = ()
    owner: str = ""
    segment: str = ""
    country: str = ""
    tag: str = ""

    @classmethod
    def read(cls, said: QueryDict) -> Self:
        """Take what makes sense; an id or stage that does not exist in form is passed over."""
        owner, segment = said.get("owner", ""), said.get("segment", "")
        return cls(
            q=said.get("q", "").replace("\0", "").strip()[:100],
            stages=tuple(stage for stage in said.getlist("stage") if stage in Stage.values),
            owner=owner if _is_id(owner) or owner == NOBODY else "",
            segment=segment if _is_id(segment) else "",
            country=said.get("country", "").replace("\0", "").strip()[:100],
            tag=said.get("tag", "").replace("\0", "").strip()[:50],
        )

    def query(self) -> str:
        """The query string that says the same."""
        said = QueryDict(mutable=True)
        said.setlist("stage", list(self.stages))
        for name in ("q", "owner", "segment", "country", "tag"):
            if value := getattr(self, name):
                said[name] = value
        return said.urlencode()

    def narrow(self, customers: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.q:
            customers = _worded(customers, self.q)
        if self.stages:
            customers = customers.filter(facts__stage__in=self.stages)
        if self.owner:
            customers = customers.filter(owner=None if self.owner == NOBODY else int(self.owner))
        if self.segment:
            customers = customers.filter(Exists(_stays(int(self.segment))))
        if self.country:
            customers = customers.filter(country=self.country)
        if self.tag:
            customers = customers.filter(tags__contains=[self.tag])
        return customers


def matching(filters: Filters) -> QuerySet[Customer]:
    """The customers that the filters leave."""
    return filters.narrow(Customer.objects.all())


def chips(filters: Filters, people: dict[int, str], segments: dict[int, str]) -> Iterator[Chip]:
    """One for each filter that is on. `people` and `segments` name the ids."""
    if filters.q:
        yield Chip("Search", filters.q, replace(filters, q="").query())
    for stage in filters.stages:
        rest = tuple(other for other in filters.stages if other != stage)
        yield Chip("Stage", Stage(stage).label, replace(filters, stages=rest).query())
    for name, label in (("owner", "Owner"), ("segment", "Segment"), ("country", "Country"), ("tag", "Tag")):
        if value := getattr(filters, name):
            named = {"owner": people, "segment": segments}.get(name, {})
            yield Chip(label, _told(value, named), replace(filters, **_nothing(name)).query())


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _nothing(name: str) -> dict[str, Any]:
    return {name: ""}


def _told(value: str, named: dict[int, str]) -> str:
    if value == NOBODY:
        return "Nobody"
    return named.get(int(value), value) if _is_id(value) else value


class _AmongThese(Func):
    """id = ANY(ARRAY(…)): the search's own index is asked first, whatever order the list is in.

    Left to itself the planner takes a rare word for a common one and reads the whole list in order to find it.
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field: Any = BooleanField()


def _worded(customers: QuerySet[Customer], typed: str) -> QuerySet[Customer]:
    query = beginnings(typed)
    if query is None:
        return customers.none()
    words = SearchWords("name", "email", "external_id", "phone")
    found = Customer.objects.alias(words=words).filter(words=query).values("pk")
    return customers.filter(_AmongThese(F("pk"), ArraySubquery(found)))


def _stays(segment: int) -> QuerySet[SegmentMembership]:
    return SegmentMembership.objects.filter(segment=segment, customer=OuterRef("pk"), left_at__isnull=True)
