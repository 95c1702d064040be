"""All contacts: the people at all customers, who was added last first."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from customers.lists.asking import Asked, Filter, List, Order
from customers.lists.common import CUSTOMER, Row, customer_of, customers_having, link, linked, of_one, owned
from customers.lists.pages import Sheet, Shown, answer
from customers.models import Consent, ContactConsent
from customers.models.contacts import CALLED
from customers.records.pools import CONTACTS
from retention.common.keyset import Key, instant, plain
from retention.common.phone_digits import every_with
from retention.common.text_search import words_of
from retention.common.word_index import beside
from retention.workspace.fragments import Fragment
from retention.workspace.models import User
from retention.workspace.people import person
from retention.workspace.places import page_of, url_for
from retention.workspace.roles import GRANTS, Can, requires
from retention.workspace.templatetags.shell import when

ORDERS = {
    "added": Order("Added", (Key(F("created_at"), instant),), first_down=True),
    "name": Order("Name", (Key(CALLED, plain),)),
}
NEVER = "never"
CONSENTS = {**dict(Consent.State.choices), NEVER: "Never asked"}
OWN = ("pk", "name", "role", "email", "phone", "language", "is_main", "created_at")
MAIN = SafeString(' <span class="word">main contact</span>')
ROW = Fragment("customers/contacts/row.html")
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


def _read(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Each with its customer and `consent`, what they said to e-mail, None where they were never asked."""
    said = BY_MAIL.filter(contact=OuterRef("pk")).values("state")[:1]
    return rows.values(*OWN, *CUSTOMER, consent=Subquery(said))


def _cells(contact: Row) -> Sequence[Any]:
    who = (_called(contact), customer_of(contact), contact["customer__external_id"], contact["role"])
    consent = CONSENTS[contact["consent"] or NEVER]
    return (*who, contact["email"], contact["phone"], contact["language"], consent, contact["created_at"])


def _called(contact: Row) -> str:
    return str(contact["name"] or contact["email"])


def _row(contact: Row, edits: bool) -> SafeString:
    called, email, phone = _called(contact), contact["email"], contact["phone"]
    return ROW(
        contact=link(page_of("customers:contact", contact["pk"]), called) if edits else called,
        main=MAIN if contact["is_main"] else "",
        customer=linked(contact),
        role=contact["role"],
        email=link(f"mailto:{quote(email, safe='@+')}", email) if email else "",
        phone=link(f"tel:{quote(phone, safe='+')}", phone) if phone else "",
        consent=CONSENTS[contact["consent"] or NEVER],
        added=when(contact["created_at"]),
    )


def _shown(edits: bool) -> Shown:
    """Who edits contacts gets to them from here."""
    sheet = Sheet("contacts", HEADER, _cells)
    return Shown(
        "customers/contacts/list.html", "customers/contacts/rows.html", sheet, partial(_row, edits=edits), _read
    )


@require_safe
@requires(Can.READ)
def listing(request: HttpRequest) -> HttpResponseBase:
    me = person(request)
    shown = _shown(Can.EDIT_CUSTOMERS in GRANTS[me.role])
    import_url = url_for(me, "customers:import_new")
    return answer(request, asked_by(me, request.GET), CONTACTS.rows, shown, import_url=import_url)
