"""The hand-over itself: in one transaction and a fixed number of statements, however many customers there are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum

from customers.models import Case, Customer, HandedCustomer, HandOver, Merge, MergedRow, Milestone, SuccessPlan, Task
from customers.records.filters import Filters, matching
from customers.work.forms import workers
from customers.work.tasks import close_task, open_task
from customers.work.working_days import still_today
from retention.common import clock
from retention.workspace.models import User, Workspace
from retention.workspace.roles import Can

AT_A_TIME = 5_000


class Refused(Exception):
    """It cannot be done; the text says why, for the person who asked."""


class NotTheirs(Exception):
    """Only an administrator hands over somebody else's customers, or takes that back."""


@dataclass(frozen=True)
class Wish:
    """Whose customers go to whom: all of the book, or those whom `filters` leave, or of these those in `only`."""

    giver: User
    receiver: User
    filters: Filters
    note: str = ""
    only: Collection[int] | None = None

    def offered(self) -> QuerySet[Customer]:
        return matching(self.filters).filter(owner=self.giver)

    def customers(self) -> QuerySet[Customer]:
        return self.offered() if self.only is None else self.offered().filter(pk__in=self.only)


@dataclass(frozen=True)
class Tally:
    """What goes along, or went. `recurring` is MRR by currency, which are never added up."""

    customers: int
    key_accounts: int
    tasks: int
    milestones: int
    cases: int
    recurring: tuple[tuple[str, Decimal], ...] = ()


def may(by: User, giver: User) -> bool:
    """Account managers hand over what is theirs; administrators anybody's."""
    return by.can(Can.ADMINISTER) or (by.pk == giver.pk and by.can(Can.EDIT_CUSTOMERS))


def rehearse(wish: Wish, by: User) -> Tally:
    """What would go along: it is done, counted, and taken back. Raises as `hand_over`."""
    with transaction.atomic():
        found = tally(hand_over(wish, by))
        transaction.set_rollback(True)
    return found


@transaction.atomic
def hand_over(wish: Wish, by: User) -> HandOver:
    """Move customers, with the giver's open tasks, cases and milestones. Raises NotTheirs, Refused."""
    if not may(by, wish.giver):
        raise NotTheirs
    if wish.giver.pk == wish.receiver.pk or not workers().filter(pk=wish.receiver.pk).exists():
        raise Refused("Choose somebody else who looks after customers.")
    there = _held(wish.customers())
    if not there:
        raise Refused("No customer of theirs is among these." if wish.only is None else "Tick at least one customer.")
    row = HandOver.objects.create(giver=wish.giver, receiver=wish.receiver, by=by, at=clock.now(), note=wish.note)
    lines = (HandedCustomer(handover=row, customer_id=pk) for pk in there)
    HandedCustomer.objects.bulk_create(lines, batch_size=AT_A_TIME)
    _move(row, _of(row), wish.giver, wish.receiver, _work_of(row))
    _tell(row, "customer.handed_over", row.at, wish.giver, wish.receiver, by, there)
    _let_know(row)
    return row


@transaction.atomic
def undo(handover_id: int, by: User) -> int:
    """Give back whoever is still the receiver's, with the work that is too; gives how many customers.

    Raises NotTheirs, Refused, and HandOver.DoesNotExist.
    """
    row = HandOver.objects.select_for_update(of=("self",)).select_related("giver", "receiver").get(pk=handover_id)
    if not may(by, row.giver):
        raise NotTheirs
    if row.undone_at:
        raise Refused("It has been taken back already.")
    row.undone_at, row.undone_by = clock.now(), by
    row.save(update_fields=["undone_at", "undone_by"])
    back = Customer.objects.filter(handed__in=_own_lines(row), owner=row.receiver)
    there = _held(back)
    _tell(row, "customer.handed_back", row.undone_at, row.receiver, row.giver, by, there)
    _move(row, Customer.objects.filter(pk__in=there), row.receiver, row.giver, _noted_work_of(row))
    for task in Task.objects.filter(origin=_origin(row), state=Task.State.OPEN):
        close_task(task.pk, Task.State.DROPPED, by.pk)
    return len(there)


def catch_up(customer_id: int, away_since: datetime) -> None:
    """Give back somebody who was merged away while hand-overs of theirs were taken back, and is there again.

    As those were: only from who they were handed to, one hand-over after the other.
    """
    meanwhile = HandOver.objects.filter(lines__customer=customer_id, undone_at__gte=away_since)
    for row in meanwhile.select_related("giver", "receiver", "undone_by").order_by("undone_at", "pk"):
        still = Customer.objects.filter(pk=customer_id, owner=row.receiver)
        if still.update(owner=row.giver, updated_at=clock.now()):
            by = row.undone_by or row.giver
            _tell(row, "customer.handed_back", clock.now(), row.receiver, row.giver, by, [customer_id])


def _own_lines(row: HandOver) -> QuerySet[HandedCustomer]:
    """Without those that a merge brought to somebody who was not handed over."""
    merges = Merge.objects.filter(survivor_id__in=row.lines.values("customer"), undone_at=None, at__gte=row.at)
    brought = MergedRow.objects.filter(merge__in=merges, model=HandedCustomer._meta.label)
    return row.lines.exclude(pk__in=brought.values("row"))


def _held(customers: QuerySet[Customer]) -> list[int]:
    """Their ids, locked; not their keys, so that whoever holds one of their tasks can tell its event and be done."""
    return list(customers.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


@dataclass(frozen=True)
class Work:
    """What may go along; what is open and whoever gives it has goes."""

    tasks: QuerySet[Task]
    milestones: QuerySet[Milestone]
    cases: QuerySet[Case]

    def of(self, person: User) -> tuple[QuerySet[Task], QuerySet[Milestone], QuerySet[Case]]:
        open_steps = Q(state=Milestone.State.OPEN, plan__state__in=SuccessPlan.OPEN)
        return (
            self.tasks.filter(state=Task.State.OPEN, assignee=person),
            self.milestones.filter(open_steps, ours=person),
            self.cases.exclude(state=Case.State.RESOLVED).filter(assignee=person),
        )


def _of(row: HandOver) -> QuerySet[Customer]:
    return Customer.objects.filter(handed__handover=row)


def _work_of(row: HandOver) -> Work:
    return Work(
        Task.objects.filter(customer__handed__handover=row),
        Milestone.objects.filter(plan__customer__handed__handover=row),
        Case.objects.filter(customer__handed__handover=row),
    )


def _noted_work_of(row: HandOver) -> Work:
    return Work(
        Task.objects.filter(pk__in=row.tasks),
        Milestone.objects.filter(pk__in=row.milestones),
        Case.objects.filter(pk__in=row.cases),
    )


def _move(row: HandOver, customers: QuerySet[Customer], giver: User, receiver: User, work: Work) -> None:
    """What goes along is noted before the customers move; going back, it is what was noted.

    It is locked, so that what somebody closes or gives to a third person at this moment is not taken from them again.
    """
    tasks, milestones, cases = (
        list(each.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
        for each in work.of(giver)
    )
    if row.undone_at is None:
        row.tasks, row.milestones, row.cases = tasks, milestones, cases
        row.save(update_fields=["tasks", "milestones", "cases"])
    Task.objects.filter(pk__in=tasks).update(assignee=receiver, updated_at=clock.now())
    Milestone.objects.filter(pk__in=milestones).update(ours=receiver)
    Case.objects.filter(pk__in=cases).update(assignee=receiver, updated_at=clock.now())
    Customer.objects.filter(pk__in=customers.values("pk")).update(owner=receiver, updated_at=clock.now())


def _tell(
    row: HandOver, kind: str, at: datetime, giver: User, receiver: User, by: User, customers: Collection[int]
) -> None:
    """One event for each of these customers."""
    told: dict[str, Any] = {
        "kind": kind, "at": at, "handover": row.pk, "customers": list(customers),
        "giver": str(giver), "receiver": str(receiver), "by": str(by),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, told)


_EVENTS = """
    INSERT INTO customers_event (customer_id, kind, occurred_at, recorded_at, source, ref, payload, dedup_key)
    SELECT id, %(kind)s, %(at)s, %(at)s, 'web', 'handover:' || %(handover)s::text,
           jsonb_build_object('handover', %(handover)s::bigint, 'giver', %(giver)s::text,
               'receiver', %(receiver)s::text, 'by', %(by)s::text),
           %(kind)s || ':' || %(handover)s::text
      FROM UNNEST(%(customers)s::bigint[]) AS id
     ORDER BY id
    ON CONFLICT DO NOTHING
"""


def _origin(row: HandOver) -> str:
    return f"handover:{row.pk}"


def _let_know(row: HandOver) -> None:
    """A task for the receiver, with the customer who is worth most of those handed over."""
    dearest = _of(row).order_by("-facts__mrr", "pk").values_list("pk", flat=True)[0]
    number = row.lines.count()
    title = f"Read the summary of {number:,} customer{'s' if number > 1 else ''} handed to you by {row.giver}"
    due = still_today(clock.now(), Workspace.current().zone)
    open_task(dearest, title, row.note[:500], due, row.receiver_id, _origin(row))


def tally(row: HandOver) -> Tally:
    """Three queries."""
    counted = _of(row).aggregate(number=Count("pk"), key=Count("pk", filter=Q(is_key_account=True)))
    worth = _of(row).filter(mrr_movements__isnull=False).values("mrr_movements__currency")
    sums = worth.annotate(mrr=Sum("mrr_movements__delta")).filter(mrr__gt=0).order_by("-mrr")
    recurring = tuple((each["mrr_movements__currency"], each["mrr"]) for each in sums)
    return Tally(counted["number"], counted["key"], len(row.tasks), len(row.milestones), len(row.cases), recurring)
