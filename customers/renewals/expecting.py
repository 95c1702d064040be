"""What is expected of a renewal: what somebody said of it, and until then what the rules suggest, with their reason.

docs/renewals.md prints the rules for people; a test keeps the two equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, CharField, F, Q, Value, When

from customers.events.recording import Happening, record
from customers.models import Forecast, HealthBand, RenewalForecast, Stage, Subscription
from customers.subscriptions.agreeing import standing
from retention.common import clock
from retention.workspace.models import User
from retention.workspace.templatetags.shell import day_text

#: Beside the three that somebody can set: it is cancelled already.
CANCELLED = "cancelled"
LABELS: dict[str, str] = {**dict(Forecast.choices), CANCELLED: "Cancelled"}
LATELY = timedelta(days=365)
MANY_CASES = 3


@dataclass(frozen=True)
class Rule:
    """`where` is `when` as a condition on a row of `due.renewals`, at an instant."""

    forecast: str
    when: str
    where: Callable[[datetime], Q]


def _answered(**score: int) -> Callable[[datetime], Q]:
    return lambda now: Q(customer__facts__nps_at__gte=now - LATELY, **score)


_BY_ITSELF = Q(subscription__auto_renews=True)
_CALM = Q(customer__facts__open_cases=0)
#: The first that applies is the suggestion; the last always does.
RULES: tuple[Rule, ...] = (
    Rule(Forecast.AT_RISK, "it has ended, and nobody renewed or cancelled it", lambda now: Q(due_at__lte=now)),
    Rule(
        Forecast.COMMITTED,
        "it renews by itself, and the time to give notice is over",
        lambda now: _BY_ITSELF & Q(subscription__notice_days__gt=0, notice_at__lte=now),
    ),
    Rule(Forecast.AT_RISK, "the customer's stage is at risk", lambda _: Q(customer__facts__stage=Stage.AT_RISK)),
    Rule(Forecast.AT_RISK, "their health is poor", lambda _: Q(customer__facts__health_band=HealthBand.POOR)),
    Rule(
        Forecast.AT_RISK,
        "their latest answer of the last 365 days was a detractor's, 6 or less out of 10",
        _answered(customer__facts__nps_score__lte=6),
    ),
    Rule(
        Forecast.AT_RISK,
        "their latest rating of our help, in the last 365 days, was 1 or 2 out of 5",
        lambda now: Q(customer__facts__csat_score__lte=2, customer__facts__csat_at__gte=now - LATELY),
    ),
    Rule(
        Forecast.AT_RISK,
        "three or more of their cases are open",
        lambda _: Q(customer__facts__open_cases__gte=MANY_CASES),
    ),
    Rule(
        Forecast.COMMITTED,
        "it renews by itself, they are loyal, and none of their cases is open",
        lambda _: _BY_ITSELF & _CALM & Q(customer__facts__stage=Stage.LOYAL),
    ),
    Rule(
        Forecast.COMMITTED,
        "it renews by itself, their latest answer of the last 365 days was 9 or 10 out of 10, and none of their cases "
        "is open",
        lambda now: _BY_ITSELF & _CALM & _answered(customer__facts__nps_score__gte=9)(now),
    ),
    Rule(Forecast.LIKELY, "nothing speaks against it, and nothing makes it certain", lambda _: Q(pk__isnull=False)),
)


def rule_of(now: datetime) -> Case:
    """The place in RULES of the rule that applies, as an expression."""
    return Case(*(When(rule.where(now), then=Value(place)) for place, rule in enumerate(RULES)))


def suggested() -> Case:
    """What the rule at the annotation `rule` suggests."""
    return Case(*(When(rule=place, then=Value(str(rule.forecast))) for place, rule in enumerate(RULES)))


def expected() -> Case:
    """Cancelled, else what somebody said of this very renewal, else what is suggested."""
    said = Q(subscription__forecast__renews_at=F("subscription__renews_at"))
    return Case(
        When(subscription__cancelled_at__isnull=False, then=Value(CANCELLED)),
        When(said, then=F("subscription__forecast__forecast")),
        default=suggested(),
        output_field=CharField(),
    )


class NothingRenews(Exception):
    """The subscription is cancelled, or has no renewal."""


class ChangedMeanwhile(Exception):
    """Somebody else said something of the renewal after it was opened here, or it is another renewal by now."""


def mark(row: Subscription) -> str:
    """What somebody saw who opened this renewal now: which one, and what stood."""
    stands = said_of(row)
    return f"{row.renews_at and row.renews_at.isoformat()} {stands and stands.updated_at.isoformat()}"


def said_of(row: Subscription) -> RenewalForecast | None:
    """What somebody said of the renewal that is next."""
    found: RenewalForecast | None = getattr(row, "forecast", None)
    return found if found and found.renews_at == row.renews_at else None


@transaction.atomic
def say(subscription_id: int, forecast: str, note: str, by: User, opened: str) -> None:
    """Set what is expected of the next renewal; an empty `forecast` leaves it to the rules.

    Raises NothingRenews, ChangedMeanwhile, and Subscription.DoesNotExist.
    """
    row = Subscription.objects.select_for_update().get(pk=subscription_id)
    if row.renews_at is None or row.cancelled_at is not None:
        raise NothingRenews
    if mark(row) != opened:
        raise ChangedMeanwhile
    if forecast:
        told = {"renews_at": row.renews_at, "forecast": forecast, "note": note, "set_by": by}
        RenewalForecast.objects.update_or_create(subscription=row, defaults={**told, "updated_at": clock.now()})
    else:
        RenewalForecast.objects.filter(subscription=row).delete()
    _tell(row, forecast, note, by)


def _tell(row: Subscription, forecast: str, note: str, by: User) -> None:
    now, renews_at = clock.now(), row.renews_at
    assert renews_at is not None  # noqa: S101
    plan = standing(list(row.terms.order_by("valid_from")), now).plan
    said = LABELS[forecast].lower() if forecast else "left to the rules"
    payload = {"subscription": row.pk, "plan": plan, "until": day_text(renews_at), "said": said, "by": str(by)}
    why = {"why": note} if note else {}
    record([Happening(row.customer_id, "renewal.forecast", now, "web", f"subscription:{row.pk}", payload | why)])
