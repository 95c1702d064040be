"""All cases: what the list's address asks for, and its rows. First those that wait for an answer, by when it is due."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Self

from django.db.models import Case as When
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.db.models import When as Arm
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower
from django.http import QueryDict
from django.utils.http import urlencode

from customers.models import Case, Customer
from customers.models.cases import WITHIN
from customers.records.listing import SIZES
from customers.records.pools import CASES, CUSTOMERS
from retention.common.headings import Heading, headings
from retention.common.keyset import Key, Turn, turn
from retention.common.sent import whole
from retention.common.text_search import words_of
from retention.common.word_index import every
from retention.workspace.models import User

DUE = ExpressionWrapper(F("opened_at") + WITHIN, output_field=DateTimeField())
_RANK = When(*(Arm(priority=value, then=place) for place, value in enumerate(reversed(Case.Priority.values))))
_WAITS = When(Arm(state=Case.State.OPEN, then=0), Arm(state=Case.State.ANSWERED, then=1), default=2)
#: Each with its label and what it goes by; cases that are level go by their ids.
ORDERS: dict[str, tuple[str, tuple[Key, ...]]] = {
    "due": ("Answer due", (Key(_WAITS, int), Key(F("due_at"), datetime.fromisoformat))),
    "priority": ("Priority", (Key(_RANK, int),)),
    "customer": ("Customer", (Key(Lower("customer__name"), str),)),
    "opened": ("Opened", (Key(F("opened_at"), datetime.fromisoformat),)),
}
STATES = {
    "": "Not resolved",
    "open": "Waiting for an answer",
    "answered": "Answered",
    "resolved": "Resolved",
    "all": "All",
}
NOBODY, ME = "nobody", "me"
_NOBODYS = Q(assignee=None, customer__owner=None)


@dataclass(frozen=True)
class Chip:
    """A filter in words, and the list without it."""

    words: str
    url: str


@dataclass(frozen=True)
class Asked:
    """`person`: somebody's id, "me" or "nobody"; a case without an assignee is its customer's owner's."""

    q: str = ""
    state: str = ""
    priority: str = ""
    person: str = ""
    sort: str = "due"
    size: str = str(SIZES[1])

    @classmethod
    def read(cls, said: QueryDict) -> Self:
        """What is not understood is left out."""
        one = {name: said.get(name, "").replace("\0", "").strip()[:100] for name in asdict(cls())}
        person = one["person"]
        return cls(
            q=one["q"],
            state=one["state"] if one["state"] in STATES else "",
            priority=one["priority"] if one["priority"] in Case.Priority.values else "",
            person=person if person in (ME, NOBODY) or (whole(person)) else "",
            sort=one["sort"] if one["sort"].removeprefix("-") in ORDERS else "due",
            size=one["size"] if one["size"] in map(str, SIZES) else str(SIZES[1]),
        )

    def address(self, **other: str) -> str:
        return "?" + replace(self, **other).query()

    def query(self) -> str:
        usual = asdict(Asked())
        return urlencode({name: value for name, value in asdict(self).items() if value != usual[name]})

    def cases(self, me: User) -> QuerySet[Case]:
        """Each with `due_at`, when its answer is, in order."""
        asked = Q()
        if self.q:
            asked &= _worded(self.q)
        if self.state != "all":
            asked &= Q(state=self.state) if self.state else ~Q(state=Case.State.RESOLVED)
        if self.priority:
            asked &= Q(priority=self.priority)
        if self.person:
            whose = {NOBODY: None, ME: me.pk}.get(self.person, self.person)
            asked &= Q(assignee=whose) | Q(assignee=None, customer__owner=whose) if whose else _NOBODYS
        found = Case.objects.select_related("customer__owner", "assignee").annotate(due_at=DUE).filter(asked)
        return found.order_by(*(OrderBy(key.by, descending=self._down) for key in self._keys))

    def page(self, me: User, after: str, before: str) -> Turn:
        """The cases after a mark, or before one."""
        return turn(self.cases(me), self._keys, int(self.size), after, before, down=self._down)

    @property
    def _down(self) -> bool:
        return self.sort.startswith("-")

    @property
    def _keys(self) -> tuple[Key, ...]:
        return (*ORDERS[self.sort.removeprefix("-")][1], Key(F("pk"), int))

    @property
    def headings(self) -> dict[str, Heading]:
        labels = {key: label for key, (label, _) in ORDERS.items()}
        return headings(labels, self.sort, lambda sort: self.address(sort=sort))

    def chips(self, people: dict[str, str]) -> Iterator[Chip]:
        if self.q:
            yield Chip(f"“{self.q}”", self.address(q=""))
        if self.state:
            yield Chip(STATES[self.state], self.address(state=""))
        if self.priority:
            yield Chip(f"{Case.Priority(self.priority).label} priority", self.address(priority=""))
        if self.person:
            yield Chip(people.get(self.person, "Somebody"), self.address(person=""))


def _worded(typed: str) -> Q:
    """By the words of the case or of its customer."""
    words = words_of(typed)
    if not words:
        return Q(pk=None)
    customers = Customer.objects.filter(every(CUSTOMERS, words))
    return every(CASES, words) | Q(customer__in=customers.values("pk"))
