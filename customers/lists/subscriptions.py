"""All subscriptions, the next renewal first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from customers.lists.asking import Asked, Filter, List, Order
from customers.lists.common import customers_having, of_one, owned
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Subscription, SubscriptionTerm
from customers.models.subscriptions import RENEWS
from customers.subscriptions.pages import Line, line
from retention.common import clock
from retention.common.keyset import Key
from retention.common.text_search import beyond
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.places import url_for
from retention.workspace.roles import Can, requires

ORDERS = {
    "renews": Order("Renews", (Key(RENEWS, datetime.fromisoformat),)),
}
STATES = {"running": "Running", "ending": "Ends", "ended": "Ended", "planned": "Planned"}
HEADER = ("Subscription", "Customer", "Customer's id", "Plan", "Quantity", "State", "Amount", "Currency", "Every")
HEADER_DATES = ("Since", "Renews", "Ends", "Reason")


def asked_by(me: User, said: QueryDict) -> Asked:
    filters = {
        "state": Filter("State", STATES, _in_state),
        "person": owned(me),
        "customer": of_one(said),
    }
    words = "Plan, subscription or customer"
    return Asked.read(List("customers:subscriptions", "subscription", words, _having, filters, ORDERS, "renews"), said)


def _terms(**asked: Any) -> Q:
    return Q(Exists(SubscriptionTerm.objects.filter(subscription=OuterRef("pk"), **asked)))


def _in_state(value: str) -> Q:
    """As `Line.state` tells it: by the first beginning and the last end."""
    now = clock.now()
    begun, open_ended, on = _terms(valid_from__lte=now), _terms(valid_to=None), _terms(valid_to__gt=now)
    asked = {
        "planned": ~begun,
        "running": begun & open_ended,
        "ending": begun & on & ~open_ended,
        "ended": begun & ~on & ~open_ended,
    }
    return asked.get(value, Q())


def _having(typed: str) -> Q:
    """By a plan it had or has, the beginning of its id, or the words of its customer."""
    named = Q(external_id__gte=typed, external_id__lt=beyond(typed))
    return named | _terms(plan__iexact=typed) | customers_having(typed)


def _cells(row: Subscription) -> Sequence[Any]:
    told, term = line(row), line(row).term
    who = (row.external_id, str(row.customer), row.customer.external_id, term.plan, term.quantity)
    every = f"{term.interval_count} {term.get_interval_display().lower()}{'s' if term.interval_count > 1 else ''}"
    price = (STATES[told.state], term.amount, term.currency, every)
    return (*who, *price, told.started_at, row.renews_at or "", told.ends_at or "", row.cancel_reason)


def _row(row: Subscription) -> dict[str, Any]:
    told: Line = line(row)
    return {"line": told, "term": told.term, "state": STATES[told.state]}


SHOWN = Shown(
    "customers/subscriptions/all.html",
    "customers/subscriptions/rows.html",
    Sheet("subscriptions", (*HEADER, *HEADER_DATES), _cells),
    _row,
)


def subscriptions() -> QuerySet[Subscription]:
    """Each with its customer and its terms; one without terms was never agreed on."""
    agreed = Subscription.objects.filter(_terms())
    return agreed.select_related("customer").prefetch_related("terms")


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    me = person(request)
    import_url = url_for(me, "customers:import_new")
    return answer(request, asked_by(me, request.GET), subscriptions(), SHOWN, import_url=import_url)
