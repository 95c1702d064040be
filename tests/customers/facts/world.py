"""Random customers with random histories, and changes to them, for the oracles to judge."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

from customers.events.recording import Happening, record
from customers.facts import dirty
from customers.models import (
    Case,
    Customer,
    Interaction,
    Interval,
    Milestone,
    Order,
    Subscription,
    SubscriptionTerm,
    SuccessPlan,
    Task,
)
from tests.customers.subscribing import subscription, term

DAY = timedelta(days=1)


def customer(number: int) -> Customer:
    return Customer.objects.create(external_id=f"c{number}", name=f"Customer {number}")


class World:
    """What happens to some customers, decided by `seed`; `now` is where it has come to, and some things lie ahead."""

    def __init__(self, seed: int, now: datetime, customers: int) -> None:
        self.random = random.Random(seed)
        self.now = now
        self.customers = [customer(number) for number in range(customers)]
        self.counter = 0

    def grow(self, happenings: int) -> None:
        kinds = [self.order, self.usage, self.subscribe, self.end, self.signal]
        kinds += [self.case, self.task, self.close_task, self.correct_order, self.order, self.talk, self.plan]
        for _ in range(happenings):
            change = self.random.choice(kinds)
            change(self.random.choice(self.customers))

    def instant(self) -> datetime:
        """Mostly within two years back, now and then ahead; often on a whole number of days, where edges are."""
        spans = [self.random.uniform(-800, 10), self.random.uniform(-120, 5), float(self.random.randint(-400, 5))]
        days = self.random.choice(spans)
        return self.now + days * DAY

    def name(self) -> str:
        self.counter += 1
        return f"x{self.counter}"

    def amount(self) -> Decimal:
        return Decimal(self.random.choice([0, 1, self.random.randint(-2000, 100_000)])) / 100

    def currency(self) -> str:
        return self.random.choice(["EUR", "EUR", "EUR", "USD"])

    def order(self, who: Customer) -> None:
        at, state = self.instant(), self.random.choice([*["completed"] * 4, "cancelled", "refunded"])
        made = Order.objects.create(
            external_id=self.name(),
            customer=who,
            ordered_at=at,
            state=state,
            amount=self.amount(),
            currency=self.currency(),
        )
        kind = "order.cancelled" if state == "cancelled" else "order.placed"
        record([Happening(who.id, kind, at, ref=f"order:{made.id}", dedup_key=f"order:{made.external_id}")])

    def correct_order(self, who: Customer) -> None:
        made = who.orders.order_by("?").first()
        if made is None:
            return
        if self.random.random() < 0.3:
            made.delete()
        else:
            made.refunded = self.amount()
            made.ordered_at = self.instant()
            made.currency = self.currency()
            made.save()
        self.touched(who)

    def usage(self, who: Customer) -> None:
        for _ in range(self.random.randint(1, 15)):
            record([Happening(who.id, "usage", self.instant_lately())])

    def instant_lately(self) -> datetime:
        return self.now + self.random.uniform(-70, 2) * DAY

    def subscribe(self, who: Customer) -> None:
        at = self.instant()
        renews_at = self.random.choice([None, at + self.random.randint(1, 800) * DAY])
        contract = subscription(who, external_id=self.name(), renews_at=renews_at)
        for _ in range(self.random.choice([1, 1, 2, 3])):
            end = self.random.choice([None, None, at + self.random.randint(0, 500) * DAY])
            self.agree(contract, at, end)
            if end is None:
                break
            at = end + self.random.choice([0, 0, 0.2, 30]) * DAY
            if SubscriptionTerm.objects.filter(subscription=contract, valid_from=at).exists():
                break
        record([Happening(who.id, "subscription.started", at)])

    def agree(self, contract: Subscription, at: datetime, end: datetime | None) -> None:
        term(
            contract,
            at,
            end,
            amount=abs(self.amount()),
            currency=self.currency(),
            interval=self.random.choice(Interval.values),
            interval_count=self.random.choice([1, 1, 2]),
            discount=self.random.choice([0, 0, 25, 100]),
        )

    def end(self, who: Customer) -> None:
        open_terms = SubscriptionTerm.objects.filter(customer=who, valid_to=None, valid_from__lte=self.now)
        last = open_terms.order_by("?").first()
        if last is not None:
            last.valid_to = max(last.valid_from, self.now - self.random.uniform(0, 30) * DAY)
            last.save(update_fields=["valid_to"])
            record([Happening(who.id, "subscription.ended", last.valid_to)])

    def signal(self, who: Customer) -> None:
        kind = self.random.choice(["survey.answered", "message.sent", "message.clicked", "message.opened"])
        score = self.random.choice([*range(11), None, "9", "11", 12, "many", -1])
        payload = {"score": score} if kind == "survey.answered" else {}
        record([Happening(who.id, kind, self.instant(), payload=payload)])

    def talk(self, who: Customer) -> None:
        Interaction.objects.create(
            customer=who,
            kind=self.random.choice(["call", "meeting", "note"]),
            happened_at=self.instant(),
            text="Spoke",
            removed_at=self.random.choice([None, None, self.now]),
        )
        record([Happening(who.id, "interaction.logged", self.now)])

    def plan(self, who: Customer) -> None:
        agreed = SuccessPlan.objects.create(customer=who, title="Plan", state="agreed", agreed_at=self.now)
        for state in ("open", "done", "dropped"):
            done_at = self.now if state == "done" else None
            due = self.instant_lately().date()
            Milestone.objects.create(plan=agreed, title="Step", due_on=due, state=state, done_at=done_at)
        record([Happening(who.id, "plan.agreed", self.now)])

    def task(self, who: Customer) -> None:
        Task.objects.create(customer=who, title="Call", due_at=self.now)
        record([Happening(who.id, "task.opened", self.now)])

    def case(self, who: Customer) -> None:
        at, rating = self.instant(), self.random.choice([None, 1, 3, 5])
        resolved_at = at + self.random.choice([0, 1, 40]) * DAY if rating or self.random.random() < 0.5 else None
        Case.objects.create(
            customer=who,
            external_id=self.name(),
            subject="Help",
            opened_at=at,
            state="resolved" if resolved_at else "open",
            resolved_at=resolved_at,
            rating=rating,
            rated_at=resolved_at if rating else None,
        )
        record([Happening(who.id, "case.opened", at)])

    def close_task(self, who: Customer) -> None:
        who.tasks.filter(state="open").update(state="done", closed_at=self.now)
        record([Happening(who.id, "task.closed", self.now)])

    def touched(self, who: Customer) -> None:
        """A change that is no event is marked by whoever makes it."""
        dirty.mark([who.id])
