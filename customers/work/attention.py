"""Attention: what needs somebody now, why, and what comes next, in the order to work through it.

The order can be told in a sentence: first what is for now, then what is for this week, then what is coming up (by
urgency: `needs`); within each, by the money at stake × urgency. The money is a year of what the line is about; or else
of the customer's MRR, or what they ordered in the last 365 days, whichever of the two is more; at least 1, so that
urgency alone decides where nothing is known. Money in another currency than the workspace's is shown and not weighed,
since nothing is converted: there the customer's own figures count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.dateparse import parse_datetime

from customers.models import Customer
from customers.work import putting_off
from customers.work.moments import Moment
from customers.work.needs import SOURCES, Line
from customers.work.ranking import TASK, Rank, behind, ranked
from customers.work.ranking import tasks_of as open_tasks
from customers.work.settling import page_for, takes_a_talk


@dataclass(frozen=True)
class Need:
    """One line of the list: a task, or a need that no task was made of. `line` is what either is about, if known.

    `name` is what the customer goes by. A task on their own page has no rank.
    """

    name: str
    told: Line
    line: Line | None
    rank: Rank | None = None
    place: int = 0
    put_off: dict[int, str] = field(default_factory=dict)

    @property
    def task(self) -> Line | None:
        return self.told if self.told.kind == TASK else None

    @property
    def band(self) -> int:
        return self.rank.band if self.rank else 1

    @property
    def key(self) -> str:
        """What the page sends back: task:12, or renewal:34."""
        return f"{self.told.kind}:{self.told.ref}"

    @property
    def label(self) -> str:
        """What kind of need it is, in words."""
        return SOURCES[self.line.kind].label if self.line else "Task"

    @property
    def action(self) -> str:
        return self.task.about["title"] if self.task else SOURCES[self.told.kind].action

    @property
    def reason(self) -> str:
        """As it is now, where that is known; else as it was when the task was opened."""
        return SOURCES[self.line.kind].said(self.line) if self.line else self.told.about["reason"]

    @property
    def url(self) -> str:
        """Where it is dealt with, beside the customer's page."""
        return SOURCES[self.line.kind].place(self.line) if self.line else page_for(self.told)

    @property
    def takes_a_talk(self) -> bool:
        """Whether it is dealt with by talking to them."""
        origin = self.task.about["origin"] if self.task else self.told.kind
        return takes_a_talk(origin.partition(":")[0])

    @property
    def renews_at(self) -> datetime | None:
        """When the contract renews that this is about; None where it is about something else."""
        return parse_datetime(self.line.about.get("renews_at", "")) if self.line else None


@dataclass(frozen=True)
class Page:
    """A page of the ranked list, and how long the whole is; unless `whole`, how much is for now, which goes on."""

    needs: list[Need]
    total: int
    whole: bool


def needs(whose: str, moment: Moment, currency: str, *, start: int = 0, size: int = 25) -> Page:
    """What needs the attention of `whose` (a key of WHOSE), first things first.

    Three queries at most, however long the list. `currency` is the one that money is weighed in.
    """
    part = ranked(whose, moment, currency, start, size)
    lines = _behind([rank.line for rank in part.ranks if rank.line.kind == TASK], moment)
    found = []
    for place, rank in enumerate(part.ranks, start + 1):
        line = lines.get(rank.line.ref) if rank.line.kind == TASK else rank.line
        found.append(Need(rank.who.name, rank.line, line, rank, place, _put_off(line, moment)))
    return Page(found, part.total, part.whole)


def tasks_of(customer: Customer, moment: Moment) -> Sequence[Need]:
    """A customer's open tasks, the first due first. One query, and one more where a need is behind one of them."""
    tasks = open_tasks(customer.pk, moment)
    lines = _behind(tasks, moment)
    name = str(customer)
    return [Need(name, task, line := lines.get(task.ref), put_off=_put_off(line, moment)) for task in tasks]


def _behind(tasks: Sequence[Line], moment: Moment) -> dict[int, Line]:
    return behind({(task.customer_id, task.about["origin"]): task.ref for task in tasks}, moment)


def _put_off(line: Line | None, moment: Moment) -> dict[int, str]:
    return putting_off.offered(moment.now, moment.zone, line.at if line else None)
