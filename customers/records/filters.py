"""What the list of customers is narrowed down to. The query string says it, so that a link shows the same list."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.http import QueryDict

from customers.custom.asking import YES_NO, typed_from
from customers.custom.definitions import every as every_field
from customers.models import Customer, CustomField, FormerId, HealthBand, SegmentMembership, Stage
from customers.records.columns import CUSTOM, MOST
from customers.records.pools import CUSTOMERS
from retention.common.phone_digits import every_with
from retention.common.sent import whole
from retention.common.text_search import words_of
from retention.common.word_index import Among, beside, every

NOBODY = "none"
#: What the list can be narrowed to by health, and the band that facts have then.
HEALTH: dict[str, str] = {**{str(band): str(band) for band in HealthBand.values}, "unknown": ""}
LABELS = {
    "owner": "Owner",
    "team": "Team",
    "key": "Key account",
    "health": "Health",
    "segment": "Segment",
    "country": "Country",
    "persona": "Persona",
    "tag": "Tag",
}


@dataclass(frozen=True)
class Chip:
    """A filter that is on: how it reads, and the query string without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True)
class Filters:
    """`owner` is a person's id, `team` a team's, each or "none"; `segment` a segment's; `key` "yes"; empty means all.

    `health` is a band, or "unknown".

    `custom`: keys of custom fields, each with the value that a form's field would read.
    """

    q: str = ""
    stages: tuple[str, ...] = ()
    owner: str = ""
    segment: str = ""
    country: str = ""
    tag: str = ""
    team: str = ""
    persona: str = ""
    key: str = ""
    health: str = ""
    custom: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, said: QueryDict) -> Self:
        """Take what makes sense; an id or stage that does not exist in form is passed over."""
        owner, segment = said.get("owner", ""), said.get("segment", "")
        return cls(
            q=said.get("q", "").replace("\0", "").strip()[:100],
            stages=tuple(stage for stage in said.getlist("stage") if stage in Stage.values),
            owner=owner if whole(owner) or owner == NOBODY else "",
            segment=segment if whole(segment) else "",
            country=said.get("country", "").replace("\0", "").strip()[:100],
            tag=said.get("tag", "").replace("\0", "").strip()[:50],
            team=team if whole(team := said.get("team", "")) or team == NOBODY else "",
            persona=said.get("persona", "").replace("\0", "").strip()[:100],
            key="yes" if said.get("key") == "yes" else "",
            health=health if (health := said.get("health", "")) in HEALTH else "",
            custom=tuple(
                (key.removeprefix(CUSTOM), value)
                for key in sorted(said)
                if key.startswith(CUSTOM) and (value := str(said[key]).replace("\0", "").strip()[:300])
            )[:MOST],
        )

    def query(self) -> str:
        """The query string that says the same."""
        said = QueryDict(mutable=True)
        said.setlist("stage", list(self.stages))
        for name in ("q", "owner", "segment", "country", "tag", "team", "persona", "key", "health"):
            if value := getattr(self, name):
                said[name] = value
        for key, value in self.custom:
            said[CUSTOM + key] = value
        return said.urlencode()

    @property
    def is_one_column(self) -> bool:
        """Whether at most one column with statistics of its own is asked: the planner knows then how many there are."""
        asked = (self.stages, self.owner, self.country, self.team, self.persona, self.key, self.health)
        return not (self.q or self.segment or self.tag or self.custom) and sum(map(bool, asked)) <= 1

    def narrow(self, customers: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.q:
            customers = customers.filter(worded(self.q))
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
        return self._narrow_further(customers)

    def _narrow_further(self, customers: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.team:
            customers = customers.filter(team=None if self.team == NOBODY else int(self.team))
        if self.persona:
            customers = customers.filter(persona=self.persona)
        if self.key:
            customers = customers.filter(is_key_account=True)
        if self.health:
            customers = customers.filter(facts__health_band=HEALTH[self.health])
        return _having(customers, self.custom) if self.custom else customers


def _having(customers: QuerySet[Customer], asked: Sequence[tuple[str, str]]) -> QuerySet[Customer]:
    """Those with just these values, found by the index on attributes. An unknown field is passed over.

    One that is put away still narrows: a saved view must not become everybody's.
    """
    fields = {field.key: field for field in every_field()}
    for key, value in asked:
        if field := fields.get(key):
            wanted = typed_from(field, value)
            found = {} if wanted is None else {key: wanted}
            customers = customers.filter(attributes__contains=found) if found else customers.none()
    return customers


def matching(filters: Filters) -> QuerySet[Customer]:
    """The customers that the filters leave."""
    return filters.narrow(Customer.objects.all())


def chips(filters: Filters, names: Mapping[str, dict[int, str]], fields: Iterable[CustomField] = ()) -> Iterator[Chip]:
    """One for each filter that is on. `names` has what ids are called, by filter; `fields` are the custom fields."""
    if filters.q:
        yield Chip("Search", filters.q, replace(filters, q="").query())
    for stage in filters.stages:
        rest = tuple(other for other in filters.stages if other != stage)
        yield Chip("Stage", Stage(stage).label, replace(filters, stages=rest).query())
    for name, label in LABELS.items():
        if value := getattr(filters, name):
            yield Chip(label, _told(name, value, names.get(name, {})), replace(filters, **_nothing(name)).query())
    labels = {field.key: field.label for field in fields}
    for key, value in filters.custom:
        if key not in labels:
            continue
        rest_of = tuple(pair for pair in filters.custom if pair[0] != key)
        yield Chip(labels[key], dict(YES_NO).get(value, value), replace(filters, custom=rest_of).query())


def _nothing(name: str) -> dict[str, Any]:
    return {name: ""}


def _told(name: str, value: str, named: dict[int, str]) -> str:
    if value == NOBODY:
        return "No team" if name == "team" else "Nobody"
    if value == "yes":
        return "Yes"
    return named.get(whole(value) or 0, value)


def worded(typed: str, by: str = "pk") -> Q:
    """A filter for rows whose customer, by their id in this column, is found by what was typed."""
    words = words_of(typed)
    if not words:
        return Q(pk=None)
    merged = FormerId.objects.filter(external_id__startswith=typed).values("customer")
    having = every(CUSTOMERS, words) if by == "pk" else beside(CUSTOMERS, words, by)
    return having | every_with(CUSTOMERS, "phone", typed, by) | Q(Among(F(by), Subquery(merged)))


def _stays(segment: int) -> QuerySet[SegmentMembership]:
    return SegmentMembership.objects.filter(segment=segment, customer=OuterRef("pk"), left_at__isnull=True)
