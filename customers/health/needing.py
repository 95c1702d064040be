"""Health that dropped lately and has not recovered, for Today."""

from django.db.models import Case, F, FloatField, Q, Value, When

from customers.models import Health, HealthBand
from customers.work.moments import Whenever
from customers.work.needs import THIS_WEEK, Line, Lines, Told, need
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import relative

#: So long a drop that has not been made good is news.
LATELY = 21
POOR, OTHER = 2 * THIS_WEEK, 0.9 * THIS_WEEK


def _said(line: Line) -> str:
    return (
        f"Health fell from {line.about['from']} to {line.about['to']} {relative(line.at)}; it is {line.about['now']}."
    )


def _place(line: Line) -> str:
    return page_of("customers:health_panel", line.customer_id)


@need("health", "Health dropped", "Find out what went wrong", said=_said, place=_place, yields=True)
def dropped(moment: Whenever) -> Lines:
    """Where there is money to lose and health is no longer good.

    Each drop by itself: one that was dealt with is silent, and a later one is not.
    """
    told = Told(
        customer="customer_id",
        ref="customer_id",
        key="customer__facts__health_dropped_at",
        at="customer__facts__health_dropped_at",
        urgency=Case(When(band=HealthBand.POOR, then=Value(POOR)), default=Value(OTHER), output_field=FloatField()),
        about={"from": F("fell_from"), "to": F("fell_to"), "now": F("score")},
    )
    money = Q(customer__facts__mrr__gt=0) | Q(customer__facts__revenue_365d__gt=0)
    lately = Q(customer__facts__health_dropped_at__gt=moment.ago(LATELY))
    ailing = Health.objects.filter(band__in=[HealthBand.WATCH, HealthBand.POOR], fell_from__isnull=False)
    return told.of(ailing.filter(money, lately))
