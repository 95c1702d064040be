"""40 rows in every list of customers and loyalty: what a row is follows from its number, which is in its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from customers.models import (
    Case,
    ChangedRow,
    Contact,
    ContactConsent,
    Customer,
    CustomerFacts,
    CustomField,
    HandChange,
    HandedCustomer,
    HandOver,
    HandPick,
    Import,
    Interaction,
    Likeness,
    ManyChange,
    Merge,
    Milestone,
    Order,
    OrderLine,
    Playbook,
    PlaybookRun,
    Product,
    RejectedRow,
    Segment,
    SegmentMembership,
    Subscription,
    SubscriptionTerm,
    SuccessPlan,
    Task,
    Team,
)
from loyalty.models import Offer
from retention.common import clock
from retention.workspace.models import Job, User
from retention.workspace.roles import Role

ROWS = range(40)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PRIORITIES = Case.Priority.values
#: How the subscription of a number stands.
STANDS = ("running", "ending", "ended", "planned")


@dataclass(frozen=True)
class Much:
    """Numbers of rows that addresses name, and what was now."""

    now: datetime
    anna: int
    team: int
    segment: int
    product: int
    customer: int
    imported: int
    change: int
    handed: int
    playbook: int


def much() -> Much:
    now = clock.now()
    anna = User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")
    team, segment = Team.objects.create(name="North"), Segment.objects.create(name="Picked", rule={"all": []})
    CustomField.objects.create(key="size", label="Size", type="choice", choices=["L", "S"])
    customers = _customers(now, anna, team)
    SegmentMembership.objects.bulk_create(
        SegmentMembership(segment=segment, customer=who, entered_at=now - DAY * n)
        for n, who in enumerate(customers)
        if n % 5 == 1
    )
    Segment.objects.update(size=SegmentMembership.objects.count(), computed_at=now)
    _bought(now, customers)
    _agreed(now, customers)
    _asked(now, customers)
    _offered(now, customers, anna)
    _worked(now, customers, anna, segment)
    product = Product.objects.get(sku="P-00").pk
    change, imported = _journals(now, anna, customers)
    pks = (anna.pk, team.pk, segment.pk, product, customers[0].pk, imported, change)
    return Much(now, *pks, _handed(anna, customers), _run(now, customers))


def _customers(now: datetime, anna: User, team: Team) -> list[Customer]:
    made = Customer.objects.bulk_create(
        Customer(
            external_id=f"c-{n:02}",
            name=f"Customer {n:02}",
            kind="company",
            owner=anna if n % 2 else None,
            team=team if n % 3 == 0 else None,
            tags=["vip"] if n % 4 == 0 else [],
            persona="Baker" if n % 5 == 0 else "",
            is_key_account=n % 6 == 0,
            country="DE" if n % 2 else "FR",
            attributes={"size": "L" if n % 7 == 0 else "S"},
        )
        for n in ROWS
    )
    CustomerFacts.objects.bulk_create(
        CustomerFacts(
            customer=who,
            stage="at_risk" if n % 3 == 1 else "active",
            health=n,
            health_band="poor" if n % 4 == 1 else "good",
            revenue=n * 7 % 27,
            mrr=n * 5 % 27,
            last_order_at=now - DAY * (n * 11 % 27),
        )
        for n, who in enumerate(made)
    )
    return made


def _bought(now: datetime, customers: list[Customer]) -> None:
    Product.objects.bulk_create(
        Product(
            sku=f"P-{n:02}",
            name=f"Product {n:02}",
            category="Bells" if n % 3 == 0 else "Horns",
            price=None if n % 9 == 8 else n * 7 % 27,
            margin_share=n * 5 % 27,
            currency="EUR",
        )
        for n in ROWS
    )
    orders = Order.objects.bulk_create(
        Order(
            external_id=f"o-{n:02}",
            customer=who,
            ordered_at=now - DAY * 3 * n,
            amount=n * 7 % 27,
            currency="EUR",
            state="cancelled" if n % 5 == 0 else "completed",
        )
        for n, who in enumerate(customers)
    )
    OrderLine.objects.bulk_create(
        OrderLine(order=order, position=0, sku="P-00", quantity=n * 11 % 27 + 1, unit_price=2)
        for n, order in enumerate(orders)
    )


def _agreed(now: datetime, customers: list[Customer]) -> None:
    made = Subscription.objects.bulk_create(Subscription(**_contract(now, n, customers[n])) for n in ROWS)
    SubscriptionTerm.objects.bulk_create(
        SubscriptionTerm(
            subscription=row,
            customer_id=row.customer_id,
            valid_from=now + DAY * 20 if n % 4 == 3 else now - DAY * 100,
            valid_to={1: now + DAY * 20, 2: now - DAY * 20}.get(n % 4),
            plan=f"Plan {n:02}",
            amount=12,
            currency="EUR",
            interval="year",
        )
        for n, row in enumerate(made)
    )


def _contract(now: datetime, n: int, who: Customer) -> dict[str, object]:
    ends = {"turns_at": now + DAY * 20, "cancelled_at": now - DAY} if n % 4 == 1 else {}
    return {"external_id": f"s-{n:02}", "customer": who, "renews_at": renews(now, n), **ends}


def renews(now: datetime, n: int) -> datetime | None:
    return now + DAY * (30 + n * 5 % 27) if n % 4 in (0, 3) else None


def _asked(now: datetime, customers: list[Customer]) -> None:
    Case.objects.bulk_create(
        Case(
            external_id=f"q-{n:02}",
            subject=f"Case {n:02}",
            customer=who,
            priority=PRIORITIES[n % 4],
            state=Case.State.values[n % 3],
            opened_at=now - HOUR * n,
            resolved_at=now if n % 3 == 2 else None,
        )
        for n, who in enumerate(customers)
    )
    contacts = Contact.objects.bulk_create(
        Contact(
            customer=who,
            name=f"Contact {n:02}",
            email=f"p{n:02}@example.test",
            is_main=n % 2 == 0,
            created_at=now - HOUR * (n * 7 % 27),
        )
        for n, who in enumerate(customers)
    )
    ContactConsent.objects.bulk_create(
        ContactConsent(contact=who, channel="email", state="withdrawn", source="call") for who in contacts[::3]
    )
    Interaction.objects.bulk_create(
        Interaction(customer=customers[0], kind="note", text=f"Talk {n:02}", happened_at=now - HOUR * n) for n in ROWS
    )


def _offered(now: datetime, customers: list[Customer], anna: User) -> None:
    ben = User.objects.create_user("ben@example.test", role=Role.ADMINISTRATOR, first_name="Ben")
    Offer.objects.bulk_create(
        Offer(
            customer=who,
            cost=n * 7 % 27,
            currency="EUR",
            reason="price" if n % 3 else "service",
            asked_by=anna if n % 4 else ben,
            asked_at=now - HOUR * n,
            expires_at=now + DAY * 9,
            **({"kind": "credit", "amount": 1} if n % 5 else {"kind": "training", "sessions": 1}),
            **_decided(now, n, anna),
        )
        for n, who in enumerate(customers)
    )


def _decided(now: datetime, n: int, anna: User) -> dict[str, object]:
    if n % 9 != 4:
        return {"state": "asked"}
    month = timezone.localtime(now).date().replace(day=1)
    return {"state": "granted", "granted_at": now, "answerable": anna, "month": month}


def _worked(now: datetime, customers: list[Customer], anna: User, segment: Segment) -> None:
    plans = SuccessPlan.objects.bulk_create(
        SuccessPlan(customer=who, title=f"Plan {n:02}") for n, who in enumerate(customers)
    )
    Milestone.objects.bulk_create(
        Milestone(plan=plan, title="Step", due_on=(now + DAY * (40 + n)).date()) for n, plan in enumerate(plans)
    )
    change = HandChange.objects.create(segment=segment, act=HandChange.Act.IN, customers=len(customers))
    HandPick.objects.bulk_create(
        HandPick(change=change, segment=segment, customer=who, verdict="in") for who in customers
    )
    Task.objects.bulk_create(
        Task(customer=who, title="Call", due_at=now + HOUR, assignee=who.owner) for who in customers
    )


def _journals(now: datetime, anna: User, customers: list[Customer]) -> tuple[int, int]:
    """What was done, the latest first; gives a change and an import."""
    Merge.objects.bulk_create(
        Merge(survivor_id=n + 1, loser_id=n + 9_000, survivor_name="Kept", loser_name=f"Lost {n:02}", at=now - HOUR * n)
        for n in ROWS
    )
    changes = ManyChange.objects.bulk_create(
        ManyChange(about="customers", action="key", words=f"Change {n:02}", by=anna, at=now - HOUR * n) for n in ROWS
    )
    job = Job.objects.create(kind="import", title="Bringing in", state=Job.State.DONE, summary={"rows": 9})
    files = Import.objects.bulk_create(
        Import(
            kind="customers", filename=f"File {n:02}", spec={}, job=job if n == 0 else None, created_at=now - HOUR * n
        )
        for n in ROWS
    )
    RejectedRow.objects.bulk_create(
        RejectedRow(run=files[0], line=n, reason="No", original=f"Row {n:02}") for n in ROWS
    )
    Likeness.objects.bulk_create(_alike(now, anna, customers))
    ChangedRow.objects.bulk_create(ChangedRow(change=changes[0], row=who.pk) for who in customers)
    return changes[0].pk, files[0].pk


def _handed(anna: User, customers: list[Customer]) -> int:
    made = HandOver.objects.create(giver=anna, receiver=User.objects.get(first_name="Ben"), by=anna)
    HandedCustomer.objects.bulk_create(HandedCustomer(handover=made, customer=who) for who in customers)
    return made.pk


def _run(now: datetime, customers: list[Customer]) -> int:
    """A playbook that every third customer is through with."""
    made = Playbook.objects.create(name="Renewing")
    PlaybookRun.objects.bulk_create(
        PlaybookRun(
            playbook=made,
            customer=who,
            counts_from=now,
            started_at=now - HOUR * n,
            **({"state": "finished", "ended_at": now} if n % 3 == 0 else {}),
        )
        for n, who in enumerate(customers)
    )
    return made.pk


def _alike(now: datetime, anna: User, customers: list[Customer]) -> Iterator[Likeness]:
    """Of each two customers in a row the younger may be the older; the last twelve are said not to be."""
    for n in ROWS[:-1:2]:
        said = {"dismissed_at": now - HOUR * n, "dismissed_by": anna} if n >= 14 else {}
        yield Likeness(low=customers[n], high=customers[n + 1], score=99 - n, reasons=[], **said)


LATE = datetime(9999, 1, 1, tzinfo=UTC)
