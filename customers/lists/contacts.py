"""All contacts: the people at all customers, who was added last first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from customers.lists.asking import Asked, Filter, List, Order
from customers.lists.common import customers_having, of_one, owned
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Consent, Contact, ContactConsent
from customers.models.contacts import CALLED
from customers.records.pools import CONTACTS
from retention.common.keyset import Key
from retention.common.phone_digits import every_with
from retention.common.text_search import words_of
from retention.common.word_index import beside
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.places import url_for
from retention.workspace.roles import Can, requires

ORDERS = {
    "added": Order("Added", (Key(F("created_at"), datetime.fromisoformat),), first_down=True),
    "name": Order("Name", (Key(CALLED, str),)),
}
NEVER = "never"
CONSENTS = {**dict(Consent.State.choices), NEVER: "Never asked"}
HEADER = ("Name", "Customer", "Customer's id", "Role", "E-mail", "Phone", "Language", "E-mail consent", "Added")
BY_MAIL = ContactConsent.objects.filter(channel=ContactConsent.Channel.EMAIL)


def asked_by(me: User, said: QueryDict) -> Asked:
    filters = {
        "main": Filter("Main contact", {"yes": "Main contacts only"}, _main, "Everybody"),
        "consent": Filter("E-mail consent", CONSENTS, _agreed),
        "person": owned(me),
        "customer": of_one(said),
    }
    words = "Name, e-mail, phone, role or customer"
    return Asked.read(List("customers:contacts", "contact", words, _having, filters, ORDERS, "-added"), said)


def _main(value: str) -> Q:
    return Q(is_main=True) if value else Q()


def _agreed(value: str) -> Q:
    said = BY_MAIL.filter(contact=OuterRef("pk"))
    if value == NEVER:
        return ~Q(Exists(said))
    return Q(Exists(said.filter(state=value))) if value else Q()


def _having(typed: str) -> Q:
    words = words_of(typed)
    if not words:
        return Q(pk=None)
    return beside(CONTACTS, words) | every_with(CONTACTS, "phone", typed) | customers_having(typed)


def _consent(contact: Contact) -> str:
    """What they said to e-mail."""
    return next((said.get_state_display() for said in contact.consents.all()), CONSENTS[NEVER])


def _cells(contact: Contact) -> Sequence[Any]:
    who = (str(contact), str(contact.customer), contact.customer.external_id, contact.role)
    return (*who, contact.email, contact.phone, contact.language, _consent(contact), contact.created_at)


def _row(contact: Contact) -> dict[str, Any]:
    return {"contact": contact, "consent": _consent(contact)}


SHOWN = Shown("customers/contacts/list.html", "customers/contacts/rows.html", Sheet("contacts", HEADER, _cells), _row)


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    me = person(request)
    rows = CONTACTS.rows.select_related("customer").prefetch_related(Prefetch("consents", BY_MAIL))
    import_url = url_for(me, "customers:import_new")
    return answer(request, asked_by(me, request.GET), rows, SHOWN, import_url=import_url)
