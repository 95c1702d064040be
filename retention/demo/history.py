"""History: the simulated business written into the tables as if it had been kept there all along."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from customers.models import Case, Consent, Customer, Event, Order, OrderLine, Subscription, SubscriptionTerm
from retention.demo import catalogue, writing
from retention.demo.business import Life, bought
from retention.demo.buying import Purchase
from retention.demo.helping import Request
from retention.demo.people import Person
from retention.demo.span import Span
from retention.demo.subscriptions import NOTICE_DAYS, Contract
from retention.workspace.models import User
from surveys.models import Answer, Invitation, Survey

SOURCE = "demo"
CURRENCY = "EUR"
LINE_COLUMNS = ("order_id", "position", "sku", "description", "quantity", "unit_price")
CHECK_IN = "Twice-a-year check-in"


class History:
    """Writes into one workspace; knows the customers' ids once they are written."""

    def __init__(self, span: Span, managers: list[User]) -> None:
        self.span = span
        self.managers = managers
        self.ids: dict[str, int] = {}
        self._order_numbers = count(1)

    def write(self, lives: list[Life], survey: Survey) -> None:
        self._customers(life.person for life in lives)
        self._subscriptions(lives)
        self.orders(list(bought(lives)))
        self._uses(lives)
        self._asks(lives, survey)
        self._cases(lives)
        catalogue.write(CURRENCY)
        writing.look_at(Customer, Consent, Subscription, SubscriptionTerm, Order, OrderLine, Case)
        writing.look_at(Event, Invitation, Answer)

    def _customers(self, people: Iterable[Person]) -> None:
        known = list(people)
        columns = (
            "external_id", "kind", "name", "email", "phone", "country", "language", "time_zone", "owner_id",
            "source", "tags", "attributes", "joined_at", "created_at", "updated_at",
        )  # fmt: skip
        writing.copy(Customer, columns, map(self._customer, known))
        self.ids = dict(Customer.objects.values_list("external_id", "pk"))
        writing.tell(writing.KNOWN)
        consents = (
            (
                self.ids[each.key],
                "email",
                "granted" if each.agreed else "withdrawn",
                "sign-up",
                "",
                self._at(each.joined),
            )
            for each in known
        )
        writing.copy(Consent, ("customer_id", "channel", "state", "source", "proof", "changed_at"), consents)
        writing.tell(writing.AGREED)

    def _customer(self, person: Person) -> tuple[Any, ...]:
        joined = self._at(person.joined)
        owner = self.managers[person.owner].pk if person.owner is not None else None
        kind = Customer.Kind.COMPANY if person.is_company else Customer.Kind.PERSON
        tags = "{" + person.trade + "}"
        attributes = f'{{"trade": "{person.trade}"}}' if person.trade else "{}"
        return (
            person.key, kind.value, person.name, person.email, person.phone, person.country, person.language,
            person.time_zone, owner, SOURCE, tags, attributes, joined, joined, joined,
        )  # fmt: skip

    def _subscriptions(self, lives: list[Life]) -> None:
        contracts = [(self.ids[life.person.key], each) for life in lives for each in life.contracts]
        columns = (
            "customer_id", "external_id", "renews_at", "notice_days", "auto_renews", "cancelled_at", "cancel_reason",
            "turns_at", "source", "updated_at",
        )  # fmt: skip
        writing.copy(Subscription, columns, (self._subscription(*pair) for pair in contracts))
        ids = dict(Subscription.objects.values_list("external_id", "pk"))
        of_terms = (
            "subscription_id", "customer_id", "valid_from", "valid_to", "plan", "quantity", "amount", "currency",
            '"interval"', "interval_count", "discount",
        )  # fmt: skip
        terms = (
            (
                ids[each.key], customer, self._at(term.since), None if term.until is None else self._at(term.until),
                term.plan, term.quantity, term.amount, CURRENCY, each.interval, 1, term.discount,
            )
            for customer, each in contracts
            for term in each.terms()
        )  # fmt: skip
        writing.copy(SubscriptionTerm, of_terms, terms)
        writing.tell(writing.SUBSCRIBED)

    def _subscription(self, customer: int, contract: Contract) -> tuple[Any, ...]:
        running = contract.ended is None
        renews_at = self._at(contract.renews()) if running else None
        cancelled_at = None if contract.ended is None else self._at(contract.cancelled(contract.ended))
        return (
            customer, contract.key, renews_at, NOTICE_DAYS[contract.interval], True, cancelled_at, contract.reason,
            renews_at, SOURCE, self._at(contract.started),
        )  # fmt: skip

    def orders(self, purchases: list[tuple[Person, Purchase]]) -> None:
        """Write orders with their lines, and tell of them as events."""
        keys = [f"HF-O{next(self._order_numbers):06}" for _ in purchases]
        columns = ("external_id", "customer_id", "ordered_at", "state", "amount", "refunded", "currency", "source",
                   "created_at")  # fmt: skip
        writing.copy(Order, columns, map(self._order, keys, purchases))
        ids = dict(Order.objects.filter(external_id__in=keys).values_list("external_id", "pk"))
        lines = (
            (ids[key], position, line.sku, line.description, line.quantity, line.price)
            for key, (_, purchase) in zip(keys, purchases, strict=True)
            for position, line in enumerate(purchase.lines, start=1)
        )
        writing.copy(OrderLine, LINE_COLUMNS, lines)
        writing.tell(writing.ORDERED, keys=keys)

    def _order(self, key: str, pair: tuple[Person, Purchase]) -> tuple[Any, ...]:
        person, purchase = pair
        at = self._at(purchase.day)
        refunded: Decimal = min(purchase.refunded, purchase.amount)
        return key, self.ids[person.key], at, purchase.state, purchase.amount, refunded, CURRENCY, SOURCE, at

    def _uses(self, lives: list[Life]) -> None:
        columns = ("customer_id", "kind", "occurred_at", "recorded_at", "source", "ref", "payload", "dedup_key",
                   "routed_at")  # fmt: skip
        writing.copy(Event, columns, self._usage_events(lives))

    def _usage_events(self, lives: list[Life]) -> Iterator[tuple[Any, ...]]:
        for life in lives:
            customer = self.ids[life.person.key]
            for number, (day, what) in enumerate(life.uses):
                at = self._at(day)
                yield customer, "usage", at, at, "app", "", f'{{"what": "{what}"}}', f"use:{number}", at

    def _asks(self, lives: list[Life], survey: Survey) -> None:
        """Invitations and answers of the check-ins; their e-mails are told as events, as another tool sent them."""
        asked = [(self.ids[life.person.key], each) for life in lives for each in life.asks]
        origins = [f"check-in:{customer}-{int(each.day)}" for customer, each in asked]
        open_for = timedelta(days=survey.open_days)
        rows = (
            (survey.pk, customer, origin, self._at(each.day), self._at(each.day) + open_for)
            for (customer, each), origin in zip(asked, origins, strict=True)
        )
        writing.copy(Invitation, ("survey_id", "customer_id", "origin", "created_at", "expires_at"), rows)
        bounced = [origin for (_, each), origin in zip(asked, origins, strict=True) if each.bounced]
        writing.tell(writing.ASKED, name=CHECK_IN, bounced=bounced)
        ids = dict(Invitation.objects.filter(survey=survey).values_list("origin", "pk"))
        columns = ("survey_id", "customer_id", "invitation_id", "score", "comment", "weight", "typed_in", "answered_at")
        answers = (
            (survey.pk, customer, ids[origin], each.score, each.comment, 1, False, self._at(each.answered))
            for (customer, each), origin in zip(asked, origins, strict=True)
            if each.answered is not None
        )
        writing.copy(Answer, columns, answers)
        writing.tell(writing.ANSWERED)

    def _cases(self, lives: list[Life]) -> None:
        columns = (
            "customer_id", "external_id", "subject", "priority", "state", "opened_at", "answered_at", "resolved_at",
            "rating", "rated_at", "assignee_id", "source", "updated_at",
        )  # fmt: skip
        asked = [(life.person, each) for life in lives for each in life.requests]
        asked.sort(key=lambda pair: (pair[1].opened, pair[0].key))
        rows = (self._case(f"HF-C{number:05}", *pair) for number, pair in enumerate(asked, start=1))
        writing.copy(Case, columns, rows)
        writing.tell(writing.HELPED)

    def _case(self, key: str, person: Person, case: Request) -> tuple[Any, ...]:
        opened, answered, resolved = (
            None if day is None else self._at(day) for day in (case.opened, case.answered, case.resolved)
        )
        state = "resolved" if resolved else "answered" if answered else "open"
        owner = self.managers[person.owner].pk if person.owner is not None else None
        rated_at = resolved if case.rating else None
        return (
            self.ids[person.key], key, case.subject, case.priority, state, opened, answered, resolved, case.rating,
            rated_at, owner, SOURCE, resolved or answered or opened,
        )  # fmt: skip

    def _at(self, day: float) -> datetime:
        return self.span.instant(day)
