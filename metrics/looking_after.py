"""How customers are looked after: whose book they are in, what of it renews, and what was done for them.

What a book is made of, and what of it renews, is as it is now; what was done is over a window.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast

from customers.models import Customer, HealthBand, Interaction, Task
from customers.renewals.due import Span, renewals
from metrics import definitions_of_care as definitions
from metrics.definition import Definition
from metrics.figures import Figure
from metrics.retention import Active
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies
from metrics.windows import Window

RENEWS_WITHIN = timedelta(days=90)
TALKED_WITHIN = timedelta(days=60)
_WHOLE = DecimalField(max_digits=18, decimal_places=0)


def _limited(rows: "QuerySet[Any]", scope: Scope, of: str = "customer_id") -> "QuerySet[Any]":
    members = scope.members()
    return rows if members is None else rows.filter(**{f"{of}__in": members})


class Books(Source):
    """One row per customer, as they are now."""

    definitions = (definitions.BOOK_CUSTOMERS, definitions.BOOK_KEY_ACCOUNTS, definitions.BOOK_POOR_HEALTH)
    parts = {
        "book_customers": Part("Customers", lambda _: Q(customer_id__gt=0)),
        "book_key_accounts": Part("Key accounts", lambda _: Q(is_key_account=True)),
        "book_poor_health": Part("In poor health", lambda _: Q(band=HealthBand.POOR)),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:  # noqa: ARG002 - as it is now
        there = _limited(Customer.objects.all(), scope, "pk")
        rows: Rows = there.annotate(band=F("facts__health_band")).values("is_key_account", "band", customer_id=F("pk"))
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        part = tallies[definition.name]
        return self.told(definition, scope, value=part.customers, numerator=part, note="As it is now.")

    def evidence(self, _: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = Customer.objects.filter(pk__in=customers).annotate(stood=F("facts__stage"), scored=F("facts__health"))
        columns = (Column("stood", "Stage", "text"), Column("scored", "Health", "number"))
        return columns, rows.values("stood", "scored", customer_id=F("pk"))


class Renewing(Source):
    """One row per customer with contracts that renew or end in the next 90 days, as the renewals board counts them."""

    definitions = (definitions.MRR_RENEWING,)
    parts = {
        "renewing": Part("With contracts that renew or end", lambda _: Q(own__gt=0), lambda _: "worth"),
        "foreign": Part("With such contracts in other currencies only", lambda _: Q(own=0)),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:  # noqa: ARG002 - from now on
        span, own = Span(scope.now, scope.zone), Q(currency=scope.currency)
        due = renewals(span).filter(due_at__gt=scope.now, due_at__lt=scope.now + RENEWS_WITHIN)
        rows: Rows = (
            _limited(due, scope)
            .values("customer_id")
            .annotate(
                worth=Sum("mrr", filter=own, default=Decimal(0)), own=Count("pk", filter=own), first=Min("due_at")
            )
        )
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        part, foreign = tallies["renewing"], tallies["foreign"]
        value = part.amount if part.customers or foreign.customers else None
        excluded = (foreign,) if foreign.customers else ()
        return self.told(definition, scope, value=value, numerator=part, excluded=excluded, note="From now on.")

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers)
        return (Column("first", "The first on", "day"), Column("worth", "MRR", "money")), rows


class _Done(Source):
    """One row per customer for whom something was done in the window; `number` is how often."""

    columns: tuple[Column, Column]

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        (part,) = tallies.values()
        value = int(part.amount or 0)
        return self.told(definition, scope, value=value, numerator=part, note=scope.unfinished)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        return self.columns, self.rows(scope, [scope.window]).filter(customer_id__in=customers)


def _number(_: int) -> str:
    return "number"


class Talks(_Done):
    definitions = (definitions.INTERACTIONS,)
    parts = {"talked": Part("Customers talked to", lambda _: Q(number__gt=0), _number)}
    columns = (Column("number", "Interactions", "number"), Column("last", "The last on", "day"))

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        (window,) = windows
        inside = _talks().filter(happened_at__gte=window.start, happened_at__lt=window.end)
        counted = _limited(inside, scope).values("customer_id")
        rows: Rows = counted.annotate(number=Cast(Count("pk"), _WHOLE), last=Max("happened_at"))
        return rows


class TasksDone(_Done):
    definitions = (definitions.TASKS_DONE,)
    parts = {"worked": Part("Customers for whom tasks were done", lambda _: Q(number__gt=0), _number)}
    columns = (Column("number", "Tasks done", "number"), Column("last", "The last on", "day"))

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        (window,) = windows
        done = Task.objects.filter(state=Task.State.DONE, closed_at__gte=window.start, closed_at__lt=window.end)
        counted = _limited(done, scope).order_by().values("customer_id")
        rows: Rows = counted.annotate(number=Cast(Count("pk"), _WHOLE), last=Max("closed_at"))
        return rows


class Untouched(Source):
    """One row per customer active as the window ends: has anybody talked to them in the 60 days before?"""

    definitions = (definitions.NOT_TALKED_TO,)
    parts = {
        "quiet": Part("Not talked to", lambda _: Q(talked=False)),
        "active": Part("Active at the end", lambda _: Q(talked__in=(True, False))),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        (window,) = windows
        end = scope.end_of(window)
        lately = _talks().filter(customer=OuterRef("pk"), happened_at__gte=end - TALKED_WITHIN, happened_at__lt=end)
        active = Customer.objects.filter(pk__in=Active().behind(scope.over(window), "end"))
        return active.annotate(talked=Exists(lately)).values("talked", customer_id=F("pk"))

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        quiet, active = tallies["quiet"], tallies["active"]
        value = quiet.customers if active.customers else None
        return self.told(definition, scope, value=value, numerator=quiet, beside=(active,), note=scope.unfinished)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        before = _talks().filter(customer_id__in=customers, happened_at__lt=scope.end_of(scope.window))
        rows: Rows = before.values("customer_id").annotate(last=Max("happened_at"))
        return (Column("last", "Last talked to on", "day"),), rows


def _talks() -> "QuerySet[Interaction]":
    """Calls, meetings, e-mails and chats; a note is about somebody and not with them."""
    return Interaction.objects.filter(removed_at=None).exclude(kind=Interaction.Kind.NOTE)
