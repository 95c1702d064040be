"""The list of offers: what it is narrowed down to and in which order, as the query string says it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from django.db.models import F, Func, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower
from django.http import QueryDict

from customers.models import Customer
from customers.records.filters import Chip
from customers.records.filters import Filters as CustomerFilters
from loyalty.models import Kind, Offer, Outcome, Reason
from retention.common.sent import whole

SIZES = (25, 50, 100)
ORDERS: dict[str, tuple[str, F | Func, bool]] = {
    "when": ("When", F("asked_at"), True),
    "customer": ("Customer", Lower("customer__name"), False),
    "cost": ("Cost", F("cost"), True),
}
USUAL = "-when"
WORDS = {
    "state": ("State", dict(Offer.State.choices)),
    "kind": ("Kind", dict(Kind.choices)),
    "reason": ("Reason", dict(Reason.choices)),
    "outcome": ("After 90 days", {**dict(Outcome.choices), "open": "Not known yet"}),
}


@dataclass(frozen=True)
class Asked:
    """`by` is a person's id; empty means all. `sort` is a name of ORDERS, with a minus for downwards."""

    q: str = ""
    state: str = ""
    kind: str = ""
    reason: str = ""
    outcome: str = ""
    by: str = ""
    sort: str = USUAL
    size: int = SIZES[0]

    @classmethod
    def read(cls, said: QueryDict) -> Self:
        """Take what makes sense."""
        chosen = {name: said.get(name, "") for name in WORDS}
        by, sort, size = said.get("by", ""), said.get("sort", USUAL), said.get("size", "")
        return cls(
            q=said.get("q", "").replace("\0", "").strip()[:100],
            **{name: value if value in WORDS[name][1] else "" for name, value in chosen.items()},
            by=by if whole(by) else "",
            sort=sort if sort.removeprefix("-") in ORDERS else USUAL,
            size=int(size) if size in map(str, SIZES) else SIZES[0],
        )

    def query(self) -> str:
        """The query string that says the same, without what is usual."""
        said = QueryDict(mutable=True)
        for name in ("q", *WORDS, "by"):
            if value := getattr(self, name):
                said[name] = value
        if self.sort != USUAL:
            said["sort"] = self.sort
        if self.size != SIZES[0]:
            said["size"] = str(self.size)
        return said.urlencode()

    def offers(self) -> QuerySet[Offer]:
        """The offers asked for, in order, each with its customer and people."""
        offers = Offer.objects.select_related("customer", "asked_by", "approver", "answerable")
        if self.q:
            found = CustomerFilters(q=self.q).narrow(Customer.objects.all())
            offers = offers.filter(customer__in=found.values("pk"))
        for name in ("state", "kind", "reason"):
            if value := getattr(self, name):
                offers = offers.filter(**{name: value})
        if self.outcome == "open":
            offers = offers.filter(state=Offer.State.GRANTED, outcome="")
        elif self.outcome:
            offers = offers.filter(outcome=self.outcome)
        if self.by:
            offers = offers.filter(asked_by=int(self.by))
        _, key, _ = ORDERS[self.sort.removeprefix("-")]
        down = self.sort.startswith("-")
        return offers.order_by(OrderBy(key, descending=down), OrderBy(F("pk"), descending=down))

    def chips(self, people: dict[int, str]) -> Iterator[Chip]:
        """One for each filter that is on."""
        if self.q:
            yield Chip("Search", self.q, replace(self, q="").query())
        for name, (label, words) in WORDS.items():
            if value := getattr(self, name):
                yield Chip(label, words[value], self.without(name))
        if self.by:
            yield Chip("By", people.get(int(self.by), self.by), self.without("by"))

    def without(self, name: str) -> str:
        return replace(self, **{name: ""}).query()  # type: ignore[arg-type]  # names of texts only

    def headings(self) -> dict[str, "Heading"]:
        return {name: self._heading(name) for name in ORDERS}

    def _heading(self, name: str) -> "Heading":
        label, _, first_down = ORDERS[name]
        here, down = self.sort.removeprefix("-") == name, self.sort.startswith("-")
        turned = not down if here else first_down
        url = "?" + replace(self, sort=f"{'-' if turned else ''}{name}").query()
        return Heading(label, url, ("descending" if down else "ascending") if here else "")


@dataclass(frozen=True)
class Heading:
    """A column's heading: `url` puts the list in its order, or turns it round."""

    label: str
    url: str
    sorted: str
