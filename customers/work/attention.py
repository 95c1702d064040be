"""Attention: which customers need somebody now, why, and what comes next, in the order to work through it.

The order can be told in a sentence: first what is late or due today and calls to detractors, then what falls in this
week, then what is coming up; within each, the most money at stake first (a year of MRR, or what the customer ordered
in the last 365 days, whichever is more).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.db import connection

from customers.models import Customer, CustomerFacts, Task
from customers.work import putting_off
from customers.work.signals import RENEWAL, SIGNALS, Signal

MOST = 50  # open tasks of one customer
BANDS = {1: "Now", 2: "This week", 3: "Coming up"}

# Signals of customers for whom somebody has a task are left to that task, but a renewal not to one that is due only
# after it. A contract that renews every week or month
# renews by itself: nobody calls about that.
RANKED = """
WITH signals AS (
    SELECT 'renewal' AS kind, facts.customer_id, facts.renews_at AS at,
           CASE WHEN facts.renews_at < %(renews_soon)s THEN 2 ELSE 3 END AS band
      FROM customers_customerfacts facts
     WHERE facts.renews_at >= %(now)s AND facts.renews_at < %(renews_ahead)s
       AND EXISTS (SELECT FROM customers_subscription contract
                     JOIN customers_subscriptionterm term ON term.subscription_id = contract.id
                    WHERE contract.customer_id = facts.customer_id AND contract.renews_at = facts.renews_at
                      AND term.valid_from <= %(now)s AND coalesce(term.valid_to > %(now)s, true)
                      AND (term.interval IN ('quarter', 'year') OR term.interval_count > 2))
    UNION ALL
    SELECT 'at_risk', facts.customer_id, facts.stage_since, 3
      FROM customers_customerfacts facts
     WHERE facts.stage = 'at_risk'
), without_task AS (
    SELECT DISTINCT ON (signals.customer_id) signals.*
      FROM signals JOIN customers_customer customer ON customer.id = signals.customer_id
     WHERE {customers_of}
       AND NOT EXISTS (SELECT FROM customers_task task
                        WHERE task.customer_id = signals.customer_id
                          AND (task.state = 'open' AND (signals.kind <> 'renewal' OR task.due_at < signals.at)
                               OR task.origin
                               = signals.kind || ':' || to_char(signals.at AT TIME ZONE 'UTC', 'YYYY-MM-DD')))
     ORDER BY signals.customer_id, signals.band, signals.kind DESC
), needs AS (
    SELECT 'task' AS kind, task.id AS ref, task.customer_id, task.due_at AS at,
           CASE WHEN task.due_at < %(tomorrow)s OR task.origin LIKE 'answer:%%' THEN 1 ELSE 2 END AS band
      FROM customers_task task JOIN customers_customer customer ON customer.id = task.customer_id
     WHERE task.state = 'open' AND task.due_at < %(in_a_week)s AND {tasks_of}
    UNION ALL
    SELECT kind, customer_id, customer_id, at, band FROM without_task
)
SELECT kind, ref, needs.customer_id, band, count(*) OVER ()
  FROM needs LEFT JOIN customers_customerfacts facts ON facts.customer_id = needs.customer_id
 WHERE kind = 'task' OR facts.mrr > 0 OR facts.revenue_365d > 0
 ORDER BY band, greatest(12 * facts.mrr, facts.revenue_365d, 0) DESC, at, kind, ref
 LIMIT %(size)s OFFSET %(start)s
"""

WHOSE = {
    "mine": (
        "(task.assignee_id = %(me)s OR task.assignee_id IS NULL AND customer.owner_id = %(me)s)",
        "customer.owner_id = %(me)s",
    ),
    "nobodys": ("task.assignee_id IS NULL AND customer.owner_id IS NULL", "customer.owner_id IS NULL"),
    "everyones": ("true", "true"),
}


@dataclass(frozen=True)
class Need:
    """One line of the list: a task, or a signal that no task has been made of."""

    band: int
    customer: Customer
    facts: CustomerFacts
    task: Task | None
    signal: Signal | None
    put_off: dict[int, str]

    @property
    def key(self) -> str:
        """What the page sends back: task:12, or renewal:34 with the customer's id."""
        return f"task:{self.task.pk}" if self.task else f"{self.signal.kind}:{self.customer.pk}" if self.signal else ""

    @property
    def action(self) -> str:
        return self.task.title if self.task else self.signal.action if self.signal else ""

    @property
    def renews_at(self) -> datetime | None:
        """When the contract renews that this line is about; None where it is about something else."""
        return _deadline(self.facts, self.task, self.signal)

    @property
    def recurring(self) -> Decimal:
        """A year of MRR, in the workspace's currency."""
        return 12 * self.facts.mrr

    @property
    def money(self) -> Decimal:
        """What is at stake in a year, in the workspace's currency."""
        return max(self.recurring, self.facts.revenue_365d)


@dataclass(frozen=True)
class Page:
    """A page of the ranked list, and how long the whole is."""

    needs: list[Need]
    total: int


def needs(whose: str, me: int, now: datetime, zone: tzinfo, *, start: int = 0, size: int = 25) -> Page:
    """What needs `whose` (a key of WHOSE) attention, first things first. Three queries, however long the list."""
    tomorrow = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    given: dict[str, int | datetime] = {
        "me": me,
        "now": now,
        "tomorrow": tomorrow,
        "in_a_week": tomorrow + timedelta(days=7),
        "renews_soon": now + timedelta(days=14),
        "renews_ahead": now + timedelta(days=60),
        "start": start,
        "size": size,
    }
    tasks_of, customers_of = WHOSE[whose]
    with connection.cursor() as cursor:
        cursor.execute(RANKED.format(tasks_of=tasks_of, customers_of=customers_of), given)
        rows = cursor.fetchall()
    return Page(_filled(rows, now, zone), rows[0][-1] if rows else 0)


def tasks_of(customer: Customer, now: datetime, zone: tzinfo) -> list[Need]:
    """A customer's open tasks, the first due first. One query."""
    tasks = customer.tasks.filter(state=Task.State.OPEN).select_related("assignee")[:MOST]
    facts = _facts(customer)
    return [
        Need(
            band=1,
            customer=customer,
            facts=facts,
            task=task,
            signal=None,
            put_off=putting_off.offered(now, zone, _deadline(facts, task, None)),
        )
        for task in tasks
    ]


def _facts(customer: Customer) -> CustomerFacts:
    return getattr(customer, "facts", None) or CustomerFacts(customer_id=customer.pk)


def _deadline(facts: CustomerFacts, task: Task | None, signal: Signal | None) -> datetime | None:
    about = task.origin == RENEWAL.origin(facts) if task else signal is RENEWAL
    return facts.renews_at if about else None


def _filled(rows: list[tuple[Any, ...]], now: datetime, zone: tzinfo) -> list[Need]:
    customers = Customer.objects.select_related("facts", "owner").in_bulk([row[2] for row in rows])
    tasks = Task.objects.select_related("assignee").in_bulk([ref for kind, ref, *_ in rows if kind == "task"])
    found = []
    for kind, ref, customer_id, band, _ in rows:
        customer, signal = customers[customer_id], SIGNALS.get(kind)
        facts, task = _facts(customer), tasks.get(ref) if kind == "task" else None
        put_off = putting_off.offered(now, zone, _deadline(facts, task, signal))
        found.append(Need(band=band, customer=customer, facts=facts, task=task, signal=signal, put_off=put_off))
    return found
