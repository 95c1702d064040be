"""Customers who have gone quiet: key accounts are for this week, others for when there is time."""

from datetime import UTC

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import TruncDate

from customers.models import Customer, CustomerFacts, Stage
from customers.models.facts import A_YEARS_WORTH
from customers.work.moments import Whenever
from customers.work.needs import THIS_WEEK, First, Line, Lines, Told, need
from customers.work.settling import settled_by_a_talk

KEY, OTHER = 3 * THIS_WEEK, 2.0
_FIRST = (First(A_YEARS_WORTH.desc()),)
settled_by_a_talk("at_risk", "key_account")
_KEY_ACCOUNTS = Customer.objects.filter(is_key_account=True)


def _said(_: Line) -> str:
    return ""


def _told(rows: "QuerySet[CustomerFacts]", urgency: float) -> Lines:
    told = Told(
        customer="customer_id",
        ref="customer_id",
        key=TruncDate("stage_since", tzinfo=UTC),
        at="stage_since",
        urgency=Value(urgency),
    )
    return told.of(rows.filter(stage=Stage.AT_RISK))


@need("at_risk", "At risk", "Find out why they went quiet", said=_said, yields=True, first=_FIRST)
def at_risk(_: Whenever) -> Lines:
    """Where there is money to lose."""
    money = Q(mrr__gt=0) | Q(revenue_365d__gt=0)
    return _told(CustomerFacts.objects.filter(money, ~Exists(_KEY_ACCOUNTS.filter(pk=OuterRef("customer")))), OTHER)


@need("key_account", "Key account at risk", "Talk to them this week", said=_said, yields=True)
def key_accounts(_: Whenever) -> Lines:
    return _told(CustomerFacts.objects.filter(customer__is_key_account=True), KEY)
