"""Attention: what needs somebody now, why, and what comes next, in the order to work through it.

The order can be told in a sentence: first what is for now, then what is for this week, then what is coming up (by
urgency: `needs`); within each, by the money at stake × urgency. The money is a year of what the line is about; or else
of the customer's MRR, or what they ordered in the last 365 days, whichever of the two is more; at least 1, so that
urgency alone decides where nothing is known. Money in another currency than the workspace's is shown and not weighed,
since nothing is converted: there the customer's own figures count.
"""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from django.utils.dateparse import parse_datetime

from customers.models import Customer, CustomerFacts, Task
from customers.work import putting_off
from customers.work.needs import SOURCES, Line, Moment
from customers.work.ranking import TASK, Rank, behind, ranked
from retention.workspace.models import Workspace

MOST = 50  # open tasks of one customer


@dataclass(frozen=True)
class Need:
    """One line of the list: a task, or a need that no task was made of. `line` is what either is about, if known."""

    customer: Customer
    facts: CustomerFacts
    task: Task | None
    line: Line | None
    rank: Rank | None = None
    place: int = 0
    put_off: dict[int, str] = field(default_factory=dict)

    @property
    def band(self) -> int:
        return self.rank.band if self.rank else 1

    @property
    def key(self) -> str:
        """What the page sends back: task:12, or renewal:34."""
        return f"{TASK}:{self.task.pk}" if self.task else f"{self.line.kind}:{self.line.ref}" if self.line else ""

    @property
    def label(self) -> str:
        """What kind of need it is, in words."""
        return SOURCES[self.line.kind].label if self.line else "Task"

    @property
    def action(self) -> str:
        return self.task.title if self.task else SOURCES[self.line.kind].action if self.line else ""

    @property
    def reason(self) -> str:
        """As it is now, where that is known; else as it was when the task was opened."""
        return SOURCES[self.line.kind].said(self.line) if self.line else self.task.reason if self.task else ""

    @property
    def url(self) -> str:
        """Where it is dealt with, beside the customer's page."""
        return SOURCES[self.line.kind].place(self.line) if self.line else ""

    @property
    def renews_at(self) -> datetime | None:
        """When the contract renews that this is about; None where it is about something else."""
        return parse_datetime(self.line.about.get("renews_at", "")) if self.line else None

    @property
    def assignee_id(self) -> int | None:
        return self.task.assignee_id if self.task else self.line.person if self.line else None

    @property
    def recurring(self) -> Decimal:
        """A year of MRR, in the workspace's currency."""
        return 12 * self.facts.mrr

    @property
    def known(self) -> Decimal:
        """What is known of the customer, in a year and the workspace's currency."""
        return max(self.recurring, self.facts.revenue_365d)


@dataclass(frozen=True)
class Page:
    """A page of the ranked list, and how long the whole is."""

    needs: list[Need]
    total: int


def needs(whose: str, me: int, now: datetime, zone: tzinfo, *, start: int = 0, size: int = 25) -> Page:
    """What needs `whose` (a key of WHOSE) attention, first things first. Four queries, however long the list."""
    moment = Moment(now, zone)
    ranks, total = ranked(whose, me, moment, Workspace.current().currency, start, size)
    return Page(_filled(ranks, moment, start), total)


def tasks_of(customer: Customer, now: datetime, zone: tzinfo) -> list[Need]:
    """A customer's open tasks, the first due first. One query, and one more where a need is behind one of them."""
    moment = Moment(now, zone)
    tasks = list(customer.tasks.filter(state=Task.State.OPEN).select_related("assignee")[:MOST])
    lines, facts = behind(tasks, moment), _facts(customer)
    return [Need(customer, facts, task, line := lines.get(task.pk), put_off=_put_off(line, moment)) for task in tasks]


def _facts(customer: Customer) -> CustomerFacts:
    return getattr(customer, "facts", None) or CustomerFacts(customer_id=customer.pk)


def _put_off(line: Line | None, moment: Moment) -> dict[int, str]:
    return putting_off.offered(moment.now, moment.zone, line.at if line else None)


def _filled(ranks: list[Rank], moment: Moment, start: int) -> list[Need]:
    customers = Customer.objects.select_related("facts", "owner").in_bulk([rank.line.customer_id for rank in ranks])
    known = Task.objects.select_related("assignee", "run_step__run__playbook")
    tasks = known.in_bulk([rank.line.ref for rank in ranks if rank.line.kind == TASK])
    lines = behind(tasks.values(), moment)
    found = []
    for place, rank in enumerate(ranks, start + 1):
        customer = customers[rank.line.customer_id]
        task = tasks[rank.line.ref] if rank.line.kind == TASK else None
        line = lines.get(task.pk) if task else rank.line
        found.append(Need(customer, _facts(customer), task, line, rank, place, _put_off(line, moment)))
    return found
