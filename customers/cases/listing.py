"""All cases: what the list's address asks for. First those that wait for an answer, by when it is due."""

from django.db.models import Case as When
from django.db.models import F, Q, QuerySet
from django.db.models import When as Arm
from django.db.models.lookups import Exact, LessThan
from django.http import QueryDict

from customers.lists.asking import Asked, Filter, List, Order
from customers.lists.common import WHO, customers_having, people, somebody, whom
from customers.models import Case
from customers.models.cases import DUE_SECOND, PLACES, RESOLVED, WAITS
from customers.records.pools import CASES
from retention.common.keyset import Key, instant, plain
from retention.common.text_search import words_of
from retention.common.word_index import beside
from retention.workspace.models import User

PLACE = "customers:cases"
_RANK = When(*(Arm(priority=value, then=place) for place, value in enumerate(reversed(Case.Priority.values))))
ORDERS = {
    "due": Order("Answer due", (Key(WAITS, int), Key(DUE_SECOND, float))),
    "priority": Order("Priority", (Key(_RANK, int),)),
    "customer": Order("Customer", (Key(WHO, plain),)),
    "opened": Order("Opened", (Key(F("opened_at"), instant),)),
}
STATES = {"open": "Waiting for an answer", "answered": "Answered", "resolved": "Resolved", "all": "All"}
_NOBODYS = Q(assignee=None, customer__owner=None)


def cases() -> QuerySet[Case]:
    """Each with its customer and whoever sees to it."""
    return Case.objects.select_related("customer__owner", "assignee")


def asked_by(me: User, said: QueryDict) -> Asked:
    """`person`: somebody's id, "me" or "nobody"; a case without an assignee is its customer's owner's."""

    def whose(value: str) -> Q:
        if not value:
            return Q()
        pk = whom(value, me)
        return _NOBODYS if pk is None else Q(assignee=pk) | Q(assignee=None, customer__owner=pk)

    filters = {
        "state": Filter("State", STATES, _in_state, "Not resolved"),
        "priority": Filter("Priority", dict(Case.Priority.choices), lambda value: Q(priority=value) if value else Q()),
        "person": Filter("Whose", people(), whose, "Everybody's", other=somebody),
    }
    words = "Subject, reference or customer"
    return Asked.read(List(PLACE, "case", words, _having, filters, ORDERS, "due"), said)


def _in_state(value: str) -> Q:
    """By the list's order, for an index has it, whichever way it is read; another has what waits by when it opened."""
    if value == "all":
        return Q()
    return Q(Exact(WAITS, PLACES[value])) if value else Q(LessThan(WAITS, RESOLVED))


def _having(typed: str) -> Q:
    """By the words of the case or of its customer."""
    words = words_of(typed)
    return beside(CASES, words) | customers_having(typed) if words else Q(pk=None)
