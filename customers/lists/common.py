"""What more than one list is narrowed down by and in order by."""

from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import QueryDict
from django.utils.safestring import SafeString

from customers.lists.asking import Filter, once_asked
from customers.models import Customer
from customers.records.filters import worded
from customers.work.forms import names
from retention.common.sent import whole
from retention.workspace.fragments import text
from retention.workspace.models import User
from retention.workspace.places import page_of

ME, NOBODY = "me", "nobody"
#: What is read of a row, by its path: a list makes no instances of models, which would take as long as to ask for them.
Row = Mapping[str, Any]
_NONE = Value("")
#: What `linked` and the files tell of a row's customer.
CUSTOMER = ("customer", "customer__name", "customer__email", "customer__external_id")
#: What the customer of a row goes by.
WHO = Lower(
    Coalesce(
        NullIf("customer__name", _NONE),
        NullIf("customer__email", _NONE),
        F("customer__external_id"),
        output_field=CharField(),
    )
)


def people() -> Mapping[str, str]:
    """Whose something can be, by what the address says of them."""
    return once_asked(lambda: {ME: "Mine", NOBODY: "Nobody's", **{str(pk): name for pk, name in names().items()}})


def somebody(value: str) -> str | None:
    """What a person is called who is not among those offered; an id that is nobody's stays as it is."""
    pk = whole(value)
    return None if pk is None else str(User.objects.filter(pk=pk).first() or value)


def whom(value: str, me: User) -> int | None:
    """The person of such a value; None is nobody."""
    return me.pk if value == ME else whole(value)


def owned(me: User) -> Filter:
    """By who looks after the row's customer."""

    def narrow(value: str) -> Q:
        return Q(customer__owner=whom(value, me)) if value else Q()

    return Filter("Whose", people(), narrow, "Everybody's", other=somebody)


def of_one(said: QueryDict) -> Filter:
    """The rows of one customer, as their page links to; of whom they were taken into, where they were since."""
    typed = said.get("customer", "")
    pk = whole(typed)
    asked = Customer.objects.filter(Q(pk=pk) | Q(former_ids=pk)).first() if pk else None
    named, pk = ({typed.strip(): str(asked)}, asked.pk) if asked else ({}, pk)
    return Filter("Customer", named, lambda value: Q(customer=pk) if value else Q(), other=whole, hidden=True)


def customer_of(row: Row) -> str:
    """What a row's customer is called, "" where it has none."""
    return row["customer__name"] or row["customer__email"] or row["customer__external_id"] or ""


def linked(row: Row) -> SafeString:
    """A row's customer, as a link to their page."""
    return link(page_of("customers:detail", row["customer"]), customer_of(row))


def link(url: str, what: object) -> SafeString:
    return SafeString(f'<a href="{text(url)}">{text(what)}</a>')


def bad(word: str) -> SafeString:
    """A word that stands out."""
    return SafeString(f'<span class="bad">{text(word)}</span>')


def soft(word: str) -> SafeString:
    return SafeString(f'<span class="soft">{text(word)}</span>')


def customers_having(typed: str) -> Q:
    """The rows whose customers are found by what was typed."""
    return worded(typed, "customer")
