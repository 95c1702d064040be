"""The tables that an import writes, in the order in which an undo goes through them: what hangs on a row before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Field, ForeignKey, GeneratedField, Model
from psycopg.sql import SQL, Composable, Identifier

from customers.models import (
    Case,
    Consent,
    Contact,
    ContactConsent,
    Customer,
    Event,
    Interaction,
    Order,
    OrderLine,
    Product,
    Subscription,
    SubscriptionTerm,
    Task,
)
from retention.common.counting import counted

#: For a text where %(at)s is the run's instant: a row that the run made and nobody wrote since.
UNTOUCHED = "stands.updated_at = %(at)s"
#: Consents have their own date in the file; nobody but the import writes its proof.
_ITS_CONSENT = "strpos(stands.proof, %(proof)s) > 0"


@dataclass(frozen=True)
class Kind:
    """One table: how its rows are called, by name and in words, and what they belong to.

    `untouched` tells of a row that the import made that it is as it was made. `customer` gives whose row it is.
    """

    model: type[Model]
    noun: str
    name: str
    untouched: str = "TRUE"
    customer: str = "stands.customer_id"

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def plural(self) -> str:
        return counted(2, self.noun).removeprefix("2 ")

    @property
    def identifier(self) -> Composable:
        return Identifier(self.table)

    def fields(self) -> Sequence["Field[object, object]"]:
        """The columns that can be written, without the id."""
        fields = self.model._meta.local_concrete_fields
        return [field for field in fields if not field.primary_key and not isinstance(field, GeneratedField)]

    def columns(self) -> Composable:
        return SQL(", ").join(Identifier(str(field.column)) for field in self.fields())

    def references(self) -> list[tuple[str, str]]:
        """Columns that name rows of other tables, each with that table."""
        return [
            (str(field.column), field.remote_field.model._meta.db_table)
            for field in self.fields()
            if isinstance(field, ForeignKey)
        ]


_UPGRADES = Product.upgrades_to.through
_TOGETHER = Product.goes_with.through
_LINK = "(SELECT name FROM customers_product WHERE id = stands.from_product_id)"

KINDS: tuple[Kind, ...] = (
    Kind(_UPGRADES, "upgrade", _LINK, customer="NULL::bigint"),
    Kind(_TOGETHER, "pairing", _LINK, customer="NULL::bigint"),
    Kind(
        OrderLine,
        "order line",
        "(SELECT external_id FROM customers_order WHERE id = stands.order_id)",
        customer="(SELECT customer_id FROM customers_order WHERE id = stands.order_id)",
    ),
    Kind(Order, "order", "stands.external_id"),
    Kind(
        SubscriptionTerm,
        "term",
        "stands.plan",
        f"EXISTS (SELECT FROM customers_subscription AS whole WHERE whole.id = stands.subscription_id"
        f" AND {UNTOUCHED.replace('stands', 'whole')})",
    ),
    Kind(Subscription, "subscription", "stands.external_id", UNTOUCHED),
    Kind(Interaction, "interaction", "left(stands.text, 100)", UNTOUCHED),
    Kind(Task, "task", "stands.title", UNTOUCHED),
    Kind(Event, "event", "coalesce(stands.payload ->> 'name', stands.kind)"),
    Kind(
        ContactConsent,
        "person's consent",
        "(SELECT coalesce(nullif(name, ''), email) FROM customers_contact WHERE id = stands.contact_id)",
        _ITS_CONSENT,
        "(SELECT customer_id FROM customers_contact WHERE id = stands.contact_id)",
    ),
    Kind(Contact, "person", "coalesce(nullif(stands.name, ''), stands.email)", UNTOUCHED),
    Kind(Case, "case", "stands.subject", UNTOUCHED),
    Kind(Product, "product", "stands.name", UNTOUCHED, "NULL::bigint"),
    Kind(
        Consent,
        "consent",
        "(SELECT coalesce(nullif(name, ''), nullif(email, ''), external_id) FROM customers_customer"
        " WHERE id = stands.customer_id)",
        _ITS_CONSENT,
    ),
    Kind(
        Customer,
        "customer",
        "coalesce(nullif(stands.name, ''), nullif(stands.email, ''), stands.external_id)",
        UNTOUCHED,
        "stands.id",
    ),
)
#: Tables whose rows do not tell when they were last written: only files write them, and the journal says which.
UNMARKED = [kind.table for kind in KINDS if kind.untouched == Kind.untouched]
NOUNS = {kind.table: kind.noun for kind in KINDS}
