"""All subscriptions, the next renewal first."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, JSONField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Collate, JSONObject, Lower
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from customers.lists.asking import Asked, Filter, List, Order
from customers.lists.common import CUSTOMER, Row, bad, customer_of, customers_having, linked, of_one, owned, soft
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Subscription, SubscriptionTerm
from customers.models.subscriptions import CALLED, RENEWS, Interval
from customers.subscriptions.pages import Agreed
from retention.common import clock
from retention.common.keyset import Key, instant
from retention.common.text_search import beyond
from retention.common.word_index import WALKED
from retention.workspace.fragments import Fragment, text
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.places import page_of, url_for
from retention.workspace.roles import Can, requires
from retention.workspace.templatetags.shell import day, money, plain

ORDERS = {
    "renews": Order("Renews", (Key(RENEWS, instant),)),
}
OWN = ("pk", "external_id", "renews_at", "cancel_reason")
#: What is told of a term; its amounts as they are in the database, to the last digit.
TOLD = ("plan", "quantity", "amount", "currency", "interval", "interval_count", "discount", "valid_from", "valid_to")
EXACT = json.JSONDecoder(parse_float=Decimal)
IN_ORDER = SubscriptionTerm.objects.filter(subscription=OuterRef("pk")).order_by("valid_from")
TERMS = ArraySubquery(
    IN_ORDER.values(told=JSONObject(**{name: name for name in TOLD})),
    output_field=ArrayField(JSONField(decoder=lambda: EXACT)),  # type: ignore[arg-type]
)
EACH = {value: label.lower() for value, label in Interval.choices}
STATES = {"running": "Running", "ending": "Ends", "ended": "Ended", "planned": "Planned"}
_AS = {"ending": bad, "ended": soft}
ROW = Fragment("customers/subscriptions/row.html")
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


def _terms(*either: Q, **asked: Any) -> Q:
    return Q(Exists(SubscriptionTerm.objects.filter(*either, subscription=OuterRef("pk"), **asked)))


def _in_state(value: str) -> Q:
    """As `Agreed.state` tells it: by the first beginning and the last end.

    What is planned begins sometime, and for what has ended time has nothing more to do, once that is noted, within a
    minute: so much an index knows, and a list is not walked past all that runs.
    """
    now = clock.now()
    begun, open_ended, on = _terms(valid_from__lte=now), _terms(valid_to=None), _terms(valid_to__gt=now)
    begins = SubscriptionTerm.objects.filter(valid_from__gt=now).values("subscription")
    asked = {
        "planned": Q(pk__in=begins) & ~begun,
        "running": begun & open_ended,
        "ending": begun & on & ~open_ended,
        "ended": Q(turns_at=None) & ~_terms(Q(valid_to=None) | Q(valid_to__gt=now)),
    }
    return asked.get(value, Q())


def _having(typed: str) -> Q:
    """By the beginning of a plan it had or has, or of its id, or by the words of its customer."""
    named = Q(external_id__gte=typed, external_id__lt=beyond(typed))
    return named | _planned(typed) | customers_having(typed)


def _planned(typed: str) -> Q:
    """One query: few are found first, by their index. Of many a walk along the list soon meets enough."""
    begins, ends = (Collate(Lower(Value(text)), "C") for text in (typed, beyond(typed)))
    terms = SubscriptionTerm.objects.alias(called=CALLED).filter(called__gte=begins, called__lt=ends)
    few = list(terms.order_by().values_list("subscription", flat=True)[: WALKED + 1])
    return Q(Exists(terms.filter(subscription=OuterRef("pk")))) if len(few) > WALKED else Q(pk__in=few)


def _term(told: Mapping[str, Any]) -> SubscriptionTerm:
    since, until = (told[end] and datetime.fromisoformat(told[end]) for end in ("valid_from", "valid_to"))
    return SubscriptionTerm(**{**told, "valid_from": since, "valid_to": until})


def _read(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Each with its customer and, as `agreed`, its terms in order."""
    return rows.values(*OWN, *CUSTOMER, agreed=TERMS)


def _agreed(row: Row) -> Agreed:
    return Agreed([_term(told) for told in row["agreed"]])


def _cells(row: Row) -> Sequence[Any]:
    told = _agreed(row)
    term = told.term
    who = (row["external_id"], customer_of(row), row["customer__external_id"], term.plan, term.quantity)
    every = f"{term.interval_count} {EACH[term.interval]}{'s' if term.interval_count > 1 else ''}"
    price = (STATES[told.state], term.amount, term.currency, every)
    return (*who, *price, told.started_at, row["renews_at"] or "", told.ends_at or "", row["cancel_reason"])


def _row(row: Row) -> SafeString:
    told = _agreed(row)
    term = told.term
    return ROW(
        url=page_of("customers:subscription", row["pk"]),
        term=term,
        subscription=row["external_id"],
        customer=linked(row),
        state=_AS.get(told.state, text)(STATES[told.state]),
        ends=day(told.ends_at),
        price=_price(term),
        since=day(told.started_at),
        renews=day(row["renews_at"]) or soft("–"),
    )


def _price(term: SubscriptionTerm) -> SafeString:
    each, number = EACH[term.interval], term.interval_count
    every = f"a {each}" if number == 1 else f"every {number} {each}s"
    less = f"<br>{soft(f'less {plain(term.discount)} %')}" if term.discount else ""
    return SafeString(f"{text(money(term.amount, term.currency))} {text(every)}{less}")


SHOWN = Shown(
    "customers/subscriptions/all.html",
    "customers/subscriptions/rows.html",
    Sheet("subscriptions", (*HEADER, *HEADER_DATES), _cells),
    _row,
    _read,
)


def subscriptions() -> QuerySet[Subscription]:
    """Those with terms; one without was never agreed on."""
    return Subscription.objects.filter(_terms())


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    me = person(request)
    import_url = url_for(me, "customers:import_new")
    return answer(request, asked_by(me, request.GET), subscriptions(), SHOWN, import_url=import_url)
