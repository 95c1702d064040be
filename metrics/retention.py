"""Who stayed, who left, who came: figures over the customers active at a window's start and end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.contrib.postgres.aggregates import BoolOr
from django.contrib.postgres.fields import DateTimeRangeField
from django.db.models import Aggregate, BooleanField, Exists, F, Func, Max, Min, OuterRef, Q, Value
from psycopg.types.range import TimestamptzRange

from customers.models import Customer
from metrics import definitions
from metrics.activity import activity
from metrics.definition import Definition
from metrics.figures import Figure
from metrics.inference import Interval
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies
from metrics.windows import Window
from retention.workspace.models import Basis


def _active(i: int, at_start: bool, at_end: bool) -> Q:
    return Q(**{f"at_{i}": at_start, f"at_{i + 1}": at_end})


class Active(Source):
    """One row per customer: whether they were active at each window's start and at the last one's end.

    Where windows follow one another, the end of one is the start of the next: `at_0`, `at_1`, … `at_n`.
    """

    definitions = (
        definitions.RETENTION_RATE,
        definitions.CHURN_RATE,
        definitions.ANNUAL_CHURN,
        definitions.ACTIVE_CUSTOMERS,
    )
    parts = {
        "start": Part("Active at the start", lambda i: Q(**{f"at_{i}": True})),
        "end": Part("Active at the end", lambda i: Q(**{f"at_{i + 1}": True})),
        "kept": Part("Active at the start and at the end", lambda i: _active(i, at_start=True, at_end=True)),
        "lost": Part("Active at the start, not at the end", lambda i: _active(i, at_start=True, at_end=False)),
        "gained": Part("Active at the end only: new, or come back", lambda i: _active(i, at_start=False, at_end=True)),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        seen = activity(scope)
        instants = [windows[0].start, *map(scope.end_of, windows)]
        flags = {f"at_{i}": BoolOr(seen.at(instant)) for i, instant in enumerate(instants)}
        reach = seen.records.filter(seen.during(instants[0], instants[-1]))
        rows: Rows = reach.values("customer_id").annotate(**flags)
        return rows

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        start, end, gained = tallies["start"], tallies["end"], tallies["gained"]
        if definition is definitions.ACTIVE_CUSTOMERS:
            value = end.customers if end.customers or start.customers else None
            beside = (start, tallies["kept"], tallies["lost"], gained)
            return self.told(definition, scope, value=value, numerator=end, beside=beside, note=scope.unfinished)
        part = tallies["kept" if definition is definitions.RETENTION_RATE else "lost"]
        note = " ".join(filter(None, (scope.unfinished, _short(scope))))
        found = self.told_share(definition, scope, part, start, excluded=(gained,), note=note)
        return _over_a_year(found, scope) if definition is definitions.ANNUAL_CHURN else found

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        return _last_seen(scope, customers)


def _short(scope: Scope) -> str:
    """What to know about a window shorter than the days an order keeps a customer active."""
    if scope.basis is Basis.CONTRACTUAL or scope.window.days >= scope.activity_days:
        return ""
    spared = scope.activity_days - scope.window.days
    return (
        f"The window has {scope.window.days} days and activity counts for {scope.activity_days}: whoever was active in "
        f"the last {spared} days before the window counts as kept without doing anything in it."
    )


def _over_a_year(churn: Figure, scope: Scope) -> Figure:
    window = scope.window
    if scope.unfinished:
        windows = timedelta(days=365) / (scope.now - window.start)
    else:
        windows = 12 / window.months if window.months else 365 / window.days

    def compound(share: float) -> float:
        return float(1 - (1 - share) ** windows)

    if churn.value is None or churn.interval is None:
        return churn
    interval = Interval(compound(churn.interval.low), compound(churn.interval.high))
    return replace(churn, value=compound(float(churn.value)), interval=interval)


def _last_seen(scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
    seen = activity(scope)
    records = seen.records.filter(customer_id__in=customers).values("customer_id")
    what = {Basis.CONTRACTUAL: "Subscription", Basis.ORDERS: "Order", Basis.USAGE: "Use"}[scope.basis]
    if scope.basis is Basis.CONTRACTUAL:
        columns = (Column("since", "First subscription began", "day"), Column("until", "Last one ended", "day"))
        return columns, records.annotate(since=Min("valid_from"), until=Max("valid_to"))
    columns = (
        Column("before", f"{what} last seen before the window", "day"),
        Column("inside", f"{what} last seen in the window", "day"),
    )
    start, end = scope.window.start, scope.window.end
    return columns, records.annotate(
        before=Max(seen.begins, filter=seen.before(start)),
        inside=Max(seen.begins, filter=seen.before(end) & ~seen.before(start)),
    )


class _OneWindow(Source):
    """Counts of customers that are read for one window at a time."""

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        part = tallies[definition.name]
        return self.told(definition, scope, value=part.customers, numerator=part, note=scope.unfinished)

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        return _last_seen(scope, customers)


class Gained(_OneWindow):
    """One row per customer active at the end and not at the start: had they ever been active before?"""

    definitions = (definitions.NEW_CUSTOMERS, definitions.CAME_BACK)
    parts = {
        "new_customers": Part("Never active before the window", lambda _: Q(known=False)),
        "came_back": Part("Active before, not at the start, active at the end", lambda _: Q(known=True)),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        (window,) = windows
        seen = activity(scope)
        gained = Active().behind(scope, "gained")
        known = Exists(seen.records.filter(seen.before(window.start), customer=OuterRef("pk")))
        return Customer.objects.filter(pk__in=gained).annotate(known=known).values("known", customer_id=F("pk"))


class RangeAgg(Aggregate):
    """PostgreSQL's range_agg: the union of ranges, as a multirange."""

    function = "range_agg"
    output_field = DateTimeRangeField()


class Interrupted(_OneWindow):
    """One row per customer seen in the window, with the time they were active as one multirange."""

    definitions = (definitions.LEFT_AND_RETURNED, definitions.JOINED_AND_LEFT)
    parts = {
        "left_and_returned": Part(
            "Active at the start and at the end, with a gap between",
            lambda _: Q(at_0=True, at_1=True, throughout=False),
        ),
        "joined_and_left": Part("Active inside the window only", lambda _: Q(at_0=False, at_1=False)),
    }

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        (window,) = windows
        seen = activity(scope)
        spans = Active().rows(scope, windows).annotate(spans=RangeAgg(seen.span))
        whole = Value(TimestamptzRange(window.start, scope.end_of(window), "[]"), output_field=DateTimeRangeField())
        throughout = Func(
            F("spans"), whole, template="(%(expressions)s)", arg_joiner=" @> ", output_field=BooleanField()
        )
        rows: Rows = spans.annotate(throughout=throughout)
        return rows
