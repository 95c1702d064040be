"""What a campaign changed: customers assigned to it against those held out as control.

Intention to treat: everybody counts in the arm they were assigned to, whether a message reached them or not. Who went
through the campaign more than once counts once, from the first time. Each is judged at one fixed horizon, the
campaign's goal days after entering; who has not reached it is left out of both arms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, F, OuterRef, Q, Sum

from campaigns.models import Arm, Campaign, Enrolment, Message
from customers.models import Order
from metrics import definitions
from metrics.definition import Definition, Unit
from metrics.figures import Figure, Tally
from metrics.inference import Comparison, Interval, Sample, SplitCheck, check_split, compare_means, compare_shares
from metrics.scope import Scope
from metrics.sources import Column, Part, Rows, Source, Tallies, share
from metrics.windows import Window

PER = 1_000
# Campaigns send messages; none gives an offer that costs something.
COST_OF_OFFERS = Decimal(0)
_ARMS = {definitions.EFFECT_TREATED: Arm.TREATED, definitions.EFFECT_CONTROL: Arm.CONTROL}


@dataclass(frozen=True)
class Arms:
    """Both arms of a campaign, counted."""

    tallies: Tallies

    def judged(self, arm: Arm) -> Tally:
        return self.tallies[arm]

    def kept(self, arm: Arm) -> Tally:
        return self.tallies[f"{arm}_kept"]

    def open(self, arm: Arm) -> Tally:
        return self.tallies[f"{arm}_open"]

    def entered(self, arm: Arm) -> Tally:
        return self.tallies[f"{arm}_all"]

    def mailed(self, arm: Arm) -> Tally:
        """Of those who entered, whom another campaign wrote to within the goal's days."""
        return self.tallies[f"{arm}_mailed"]

    @property
    def shares(self) -> Comparison | None:
        """Of customers kept."""
        treated, control = (share(self.kept(arm), self.judged(arm)) for arm in (Arm.TREATED, Arm.CONTROL))
        return compare_shares(treated, control) if treated and control else None

    @property
    def revenue(self) -> Comparison | None:
        """Of means per customer."""
        return compare_means(self._spent(Arm.TREATED), self._spent(Arm.CONTROL))

    def _spent(self, arm: Arm) -> Sample:
        """Exact: the sums are decimals."""
        n, total, squares = self.judged(arm).customers, self.judged(arm).amount, self.tallies[f"{arm}_squares"].amount
        if n < 2 or total is None or squares is None:
            return Sample(n, 0, 0)
        return Sample(n, float(total / n), float((squares - total * total / n) / (n - 1)))

    @property
    def split(self) -> tuple[int, int]:
        """Customers assigned to the campaign and held out, judged or not."""
        return self.entered(Arm.TREATED).customers, self.entered(Arm.CONTROL).customers


def _judged(arm: Arm) -> Q:
    return Q(arm=arm, judged=True)


class Enrolled(Source):
    """One row per customer who entered the campaign in the window, with their orders in the goal's days after it."""

    definitions = (
        definitions.EFFECT,
        definitions.EFFECT_TREATED,
        definitions.EFFECT_CONTROL,
        definitions.EFFECT_REVENUE,
        definitions.EFFECT_MARGIN,
        definitions.EFFECT_NET,
    )
    parts = {
        "treated": Part("Assigned to the campaign", lambda _: _judged(Arm.TREATED), lambda _: "revenue"),
        "control": Part("Held out as control", lambda _: _judged(Arm.CONTROL), lambda _: "revenue"),
        "treated_squares": Part("", lambda _: _judged(Arm.TREATED), lambda _: "revenue_squared"),
        "control_squares": Part("", lambda _: _judged(Arm.CONTROL), lambda _: "revenue_squared"),
        "treated_kept": Part("Assigned, and ordered", lambda _: _judged(Arm.TREATED) & Q(orders__gte=1)),
        "control_kept": Part("Held out, and ordered", lambda _: _judged(Arm.CONTROL) & Q(orders__gte=1)),
        "treated_all": Part("Assigned, judged or not", lambda _: Q(arm=Arm.TREATED)),
        "control_all": Part("Held out, judged or not", lambda _: Q(arm=Arm.CONTROL)),
        "treated_open": Part("Assigned, days not over", lambda _: Q(arm=Arm.TREATED, judged=False)),
        "foreign": Part("With orders in other currencies", lambda _: Q(judged=True, foreign__gte=1)),
        "control_open": Part("Held out, days not over", lambda _: Q(arm=Arm.CONTROL, judged=False)),
        "treated_mailed": Part("Assigned, and got other mail", lambda _: Q(arm=Arm.TREATED, mailed=True)),
        "control_mailed": Part("Held out, and got other mail", lambda _: Q(arm=Arm.CONTROL, mailed=True)),
    }

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign

    @property
    def params(self) -> dict[str, str]:
        return {"campaign": str(self.campaign.pk)}

    @property
    def horizon(self) -> timedelta:
        return timedelta(days=self.campaign.goal_days)

    def entered(self, scope: Scope) -> Q:
        """The enrolments of the scope: of each customer the first, if it lies in the window."""
        first = self.campaign.enrolments.order_by("customer_id", "entered_at", "pk").distinct("customer_id")
        inside = Q(pk__in=first.values("pk"), entered_at__gte=scope.window.start, entered_at__lt=scope.window.end)
        members = scope.members()
        return inside if members is None else inside & Q(customer_id__in=members)

    @property
    def other_mail(self) -> Exists:
        """Whether another campaign's message went to a customer within the goal's days after they entered."""
        went = (Message.State.SENT, Message.State.UNKNOWN)
        others = Message.objects.filter(customer=OuterRef("customer"), state__in=went).exclude(
            step__campaign=self.campaign
        )
        began, ended = OuterRef("entered_at"), OuterRef("entered_at") + self.horizon
        return Exists(others.filter(settled_at__gte=began, settled_at__lt=ended))

    def rows(self, scope: Scope, windows: Sequence[Window]) -> Rows:
        goal = Q(
            customer__orders__state=Order.State.COMPLETED,
            customer__orders__ordered_at__gte=F("entered_at"),
            customer__orders__ordered_at__lt=F("entered_at") + self.horizon,
        )
        judged = Q(entered_at__lte=scope.now - self.horizon)
        own = Q(customer__orders__currency=scope.currency)
        return (
            Enrolment.objects.filter(self.entered(scope.over(windows[0])))
            .annotate(
                judged=ExpressionWrapper(judged, output_field=BooleanField()),
                mailed=self.other_mail,
                orders=Count("customer__orders", filter=goal),
                revenue=Sum("customer__orders__net", filter=goal & own, default=Decimal(0)),
                foreign=Count("customer__orders", filter=goal & ~own),
            )
            .annotate(revenue_squared=F("revenue") * F("revenue"))
            .values("customer_id", "arm", "judged", "mailed", "orders", "revenue", "foreign", "revenue_squared")
        )

    def evidence(self, scope: Scope, customers: Sequence[int]) -> tuple[Sequence[Column], Rows]:
        rows = self.rows(scope, [scope.window]).filter(customer_id__in=customers)
        columns = (
            Column("entered_at", "Entered", "day"),
            Column("orders", f"Orders within {self.campaign.goal_days} days", "number"),
            Column("revenue", "Revenue from them", "money"),
        )
        return columns, rows.values("customer_id", "entered_at", "orders", "revenue")

    def figure(self, definition: Definition, scope: Scope, tallies: Tallies) -> Figure:
        arms = Arms(tallies)
        if definition in _ARMS:
            return self._arm(definition, scope, arms)
        seen = arms.shares if definition is definitions.EFFECT else arms.revenue
        factor = self._factor(definition, scope, arms)
        cost = float(COST_OF_OFFERS) if definition is definitions.EFFECT_NET else 0.0
        return self.told(
            definition,
            scope,
            value=seen and seen.difference * factor - cost,
            interval=seen and seen.interval and seen.interval.scaled(factor, -cost),
            beside=tuple(of(arm) for of in (arms.judged, arms.kept) for arm in _ARMS.values()),
            excluded=(*(arms.open(arm) for arm in _ARMS.values()), *self._left_out(definition, tallies)),
            rests_on=min(arms.judged(arm).customers for arm in _ARMS.values()),
            note=self._horizon_told,
        )

    def _arm(self, definition: Definition, scope: Scope, arms: Arms) -> Figure:
        arm = _ARMS[definition]
        left_out = (arms.open(arm),)
        return self.told_share(
            definition, scope, arms.kept(arm), arms.judged(arm), excluded=left_out, note=self._horizon_told
        )

    @staticmethod
    def _left_out(definition: Definition, tallies: Tallies) -> tuple[Tally, ...]:
        """Whose money is not all in a figure of money."""
        return (tallies["foreign"],) if definition.unit is Unit.MONEY else ()

    def _factor(self, definition: Definition, scope: Scope, arms: Arms) -> float:
        """From the difference per customer to the figure."""
        if definition is definitions.EFFECT_NET:
            return scope.margin * arms.judged(Arm.TREATED).customers
        return scope.margin if definition is definitions.EFFECT_MARGIN else 1.0

    @property
    def _horizon_told(self) -> str:
        return f"Each customer is judged {self.campaign.goal_days} days after entering."


@dataclass(frozen=True)
class Group:
    """One arm as the page shows it: `mean` is its revenue per customer judged."""

    label: str
    entered: Tally
    open: Tally
    judged: Tally
    kept: Tally
    mailed: Tally
    figure: Figure

    @property
    def mean(self) -> Decimal | None:
        spent, n = self.judged.amount, self.judged.customers
        return None if spent is None or not n else spent / n


@dataclass(frozen=True)
class Effect:
    """A campaign's effect, ready to be told. `split` is None where nobody was to be held out or nobody entered."""

    campaign: Campaign
    figures: Mapping[str, Figure]
    arms: Arms
    split: SplitCheck | None

    @property
    def comparison(self) -> Comparison | None:
        return self.arms.shares

    @property
    def groups(self) -> list[Group]:
        """Assigned and held out, side by side."""
        arms = self.arms
        return [
            Group(
                label=arm.label,
                entered=arms.entered(arm),
                open=arms.open(arm),
                judged=arms.judged(arm),
                kept=arms.kept(arm),
                mailed=arms.mailed(arm),
                figure=self.figures[definition.name],
            )
            for definition, arm in _ARMS.items()
        ]

    @property
    def differences(self) -> list[Figure]:
        """What the campaign changed, from customers to money."""
        return [figure for figure in self.figures.values() if figure.definition not in _ARMS]

    @property
    def held_out_share(self) -> float:
        """Of the customers who entered, 0–1; 0 where nobody has."""
        treated, control = self.arms.split
        return control / (treated + control) if control else 0.0

    @property
    def blurred(self) -> bool:
        """Whether another campaign wrote to customers held out, which changes what they are compared for."""
        return self.arms.mailed(Arm.CONTROL).customers > 0

    @property
    def trusted(self) -> bool:
        """Whether the split is as it was asked for, so that a winner may be named."""
        return self.split is None or self.split.passed

    @property
    def shown(self) -> bool:
        """Whether the interval leaves out 0."""
        interval = self.figures[definitions.EFFECT.name].interval
        return self.trusted and interval is not None and 0 not in interval

    @property
    def per_thousand(self) -> tuple[float | None, Interval | None]:
        """Customers kept of a thousand assigned, beyond those kept anyway."""
        figure = self.figures[definitions.EFFECT.name]
        value = None if figure.value is None else PER * float(figure.value)
        return value, figure.interval and figure.interval.scaled(PER)

    @property
    def net_per_thousand(self) -> float | None:
        """Money gained of a thousand assigned, less the cost of offers."""
        net, treated = self.figures[definitions.EFFECT_NET.name].value, self.arms.judged(Arm.TREATED).customers
        return None if net is None else PER * float(net) / treated


def effect(campaign: Campaign, scope: Scope) -> Effect:
    """The effect on the customers who entered in the scope's window. One query."""
    source = Enrolled(campaign)
    (tallies,) = source.count(scope, [scope.window])
    figures = {each.name: source.figure(each, scope, tallies) for each in source.definitions}
    arms = Arms(tallies)
    held_out = float(campaign.holdout_share) / 100
    split = check_split(arms.split, (1 - held_out, held_out)) if held_out else None
    return Effect(campaign, figures, arms, split)


def life(campaign: Campaign, zone: tzinfo, now: datetime) -> Window:
    """The window from the campaign's launch up to and with today."""
    began = (campaign.launched_at or now).astimezone(zone).date()
    return Window(began, now.astimezone(zone).date() + timedelta(days=1), zone)
