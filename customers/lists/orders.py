"""All orders, the latest first."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from customers.lists.asking import Asked, Filter, List
from customers.lists.asking import Order as By
from customers.lists.common import CUSTOMER, Row, bad, customer_of, customers_having, linked, of_one, owned, soft
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Order
from retention.common import clock
from retention.common.keyset import Key, amount, instant
from retention.common.text_search import beyond
from retention.workspace.fragments import Fragment
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.places import url_for
from retention.workspace.roles import Can, requires
from retention.workspace.templatetags.shell import money, when

ORDERS = {
    "when": By("When", (Key(F("ordered_at"), instant),), first_down=True),
    "net": By("Amount", (Key(F("net"), amount),), first_down=True),
}
STATES = dict(Order.State.choices)
SINCE = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days", "365": "Last 365 days"}
OWN = ("pk", "external_id", "ordered_at", "state", "net", "currency", "refunded", "source")
ROW = Fragment("customers/orders/row.html")
HEADER = ("Order", "Customer", "Customer's id", "When", "State", "Amount", "Currency", "Given back", "Source")


def asked_by(me: User, said: QueryDict) -> Asked:
    filters = {
        "state": Filter("State", STATES, lambda value: Q(state=value) if value else Q()),
        "since": Filter("When", SINCE, _since, "At any time"),
        "person": owned(me),
        "customer": of_one(said),
    }
    return Asked.read(List("customers:orders", "order", "Order or customer", _having, filters, ORDERS, "-when"), said)


def _since(days: str) -> Q:
    return Q(ordered_at__gte=clock.now() - timedelta(days=int(days))) if days else Q()


def _having(typed: str) -> Q:
    """By the beginning of the order's id, or by the words of its customer."""
    return Q(external_id__gte=typed, external_id__lt=beyond(typed)) | customers_having(typed)


def _cells(order: Row) -> Sequence[Any]:
    who = (customer_of(order), order["customer__external_id"] or "")
    money = (order["net"], order["currency"], order["refunded"])
    return (order["external_id"], *who, order["ordered_at"], STATES[order["state"]], *money, order["source"])


def _row(order: Row) -> SafeString:
    state = STATES[order["state"]]
    return ROW(
        order=order["external_id"],
        customer=linked(order) if order["customer"] else soft("Nobody known"),
        when=when(order["ordered_at"]),
        state=state if order["state"] == Order.State.COMPLETED else bad(state),
        amount=money(order["net"], order["currency"]),
    )


SHOWN = Shown(
    "customers/orders/list.html",
    "customers/orders/rows.html",
    Sheet("orders", HEADER, _cells),
    _row,
    lambda rows: rows.values(*OWN, *CUSTOMER),
)


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    me = person(request)
    import_url = url_for(me, "customers:import_new")
    return answer(request, asked_by(me, request.GET), Order.objects.all(), SHOWN, import_url=import_url)
