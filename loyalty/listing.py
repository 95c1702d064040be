"""The list of offers: what its address asks for, and its file."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from customers.lists.asking import Asked, Filter, List, Order
from customers.lists.common import WHO, customers_having, somebody
from customers.lists.pages import Sheet, Shown
from loyalty.costing import Terms
from loyalty.models import Kind, Offer, Outcome, Reason
from retention.common.keyset import Key, amount, instant, plain
from retention.workspace.models import User

PLACE = "loyalty:list"
ORDERS = {
    "when": Order("When", (Key(F("asked_at"), instant),), first_down=True),
    "customer": Order("Customer", (Key(WHO, plain),)),
    "cost": Order("Cost", (Key(F("cost"), amount),), first_down=True),
}
OUTCOMES = {**dict(Outcome.choices), "open": "Not known yet"}
HEADER = (
    *("Offer", "Customer", "Customer's id", "Kind", "What", "Cost", "Currency", "Worked out as", "Reason", "Note"),
    *("State", "By", "When", "Answerable", "Granted", "Used", "Answer", "After 90 days"),
)


def people() -> dict[int, str]:
    """Everybody who has made an offer, by id."""
    made = User.objects.filter(pk__in=Offer.objects.values("asked_by"))
    return {user.pk: str(user) for user in made.order_by("first_name", "last_name", "email")}


def offers() -> QuerySet[Offer]:
    """Each with its customer and people."""
    return Offer.objects.select_related("customer", "asked_by", "approver", "answerable")


def asked_of(said: QueryDict) -> Asked:
    """`by` is a person's id, `outcome` what came of it or "open"."""
    makers = {str(pk): name for pk, name in people().items()}
    filters = {
        "state": _of("state", "State", dict(Offer.State.choices)),
        "kind": _of("kind", "Kind", dict(Kind.choices)),
        "reason": _of("reason", "Reason", dict(Reason.choices)),
        "outcome": Filter("After 90 days", OUTCOMES, _came_of_it),
        "by": Filter("By", makers, lambda value: Q(asked_by=int(value)) if value else Q(), "Anybody", other=somebody),
    }
    return Asked.read(List(PLACE, "offer", "Customer", customers_having, filters, ORDERS, "-when"), said)


def _of(name: str, label: str, words: dict[str, str]) -> Filter:
    return Filter(label, words, lambda value: Q(**{name: value}) if value else Q())


def _came_of_it(value: str) -> Q:
    if value == "open":
        return Q(state=Offer.State.GRANTED, outcome="")
    return Q(outcome=value) if value else Q()


def _cells(offer: Offer) -> Sequence[Any]:
    return [
        offer.pk,
        str(offer.customer),
        offer.customer.external_id,
        offer.get_kind_display(),
        Terms.of(offer).said(offer.currency),
        offer.cost,
        offer.currency,
        offer.formula,
        offer.get_reason_display(),
        offer.note,
        offer.get_state_display(),
        str(offer.asked_by),
        offer.asked_at,
        str(offer.answerable or ""),
        offer.granted_at or "",
        offer.used_at or "",
        offer.answer,
        offer.get_outcome_display() if offer.outcome else "",
    ]


def _row(offer: Offer) -> dict[str, Any]:
    return {"offer": offer, "said": Terms.of(offer).said(offer.currency)}


SHOWN = Shown("loyalty/list.html", "loyalty/rows.html", Sheet("offers", HEADER, _cells), _row)
