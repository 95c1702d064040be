"""What more than one list is narrowed down by and in order by."""

from collections.abc import Mapping

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import QueryDict

from customers.lists.asking import Filter, once_asked
from customers.models import Customer
from customers.records.filters import worded
from customers.work.forms import names
from retention.common.sent import whole
from retention.workspace.models import User

ME, NOBODY = "me", "nobody"
_NONE = Value("")
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


def whom(value: str, me: User) -> int | None:
    """The person of such a value; None is nobody."""
    return me.pk if value == ME else whole(value)


def owned(me: User) -> Filter:
    """By who looks after the row's customer."""

    def narrow(value: str) -> Q:
        return Q(customer__owner=whom(value, me)) if value else Q()

    return Filter("Whose", people(), narrow, "Everybody's", other=whole)


def of_one(said: QueryDict) -> Filter:
    """The rows of one customer, as their page links to."""
    asked = Customer.objects.filter(pk=whole(said.get("customer", "")) or 0).first()
    named = {str(asked.pk): str(asked)} if asked else {}
    return Filter("Customer", named, lambda value: Q(customer=whole(value)) if value else Q(), hidden=True)


def customers_having(typed: str) -> Q:
    """The rows whose customers are found by what was typed."""
    return worded(typed, "customer")
